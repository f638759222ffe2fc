public import Celery

/// When the message of a task is acknowledged.
public enum AcknowledgementMode: Sendable, Hashable {
    /// As the task starts, Celery's default: a crash loses the task, a rerun never happens.
    case early
    /// After the outcome is published and confirmed: a crash makes the broker deliver the task again.
    case late
}

/// Settings of one task; each is an attribute of the same name of Celery's `Task`.
public struct TaskRegistrationOptions: Sendable {
    /// When the message is acknowledged; nil for the `task_acks_late` setting.
    ///
    /// Celery: `acks_late`.
    public var acks: AcknowledgementMode?
    /// Whether a failed task with late acknowledgement is acknowledged rather than rejected; nil for the settings.
    ///
    /// Celery: `acks_on_failure`, `acks_on_failure_or_timeout`.
    public var acksOnFailure: Bool?
    /// Whether a task with late acknowledgement is acknowledged at its hard time limit rather than put back; nil for the settings.
    ///
    /// Celery: `acks_on_timeout`, `acks_on_failure_or_timeout`.
    public var acksOnTimeout: Bool?
    /// Whether a task with late acknowledgement goes back to its queue when its process dies; nil for the setting.
    ///
    /// Celery: `reject_on_worker_lost`.
    public var rejectOnWorkerLost: Bool?
    /// Whether a task whose process dies is retried while it has retries left; nil for the setting.
    ///
    /// Celery: `retry_on_worker_lost`.
    public var retryOnWorkerLost: Bool?
    /// How many retries are allowed; nil for no limit.
    ///
    /// Celery: `max_retries`.
    public var maxRetries: Int?
    /// Wait before a retry that names none.
    ///
    /// Celery: `default_retry_delay`.
    public var retryDelay: Duration
    /// The errors after which the task runs again by itself; nil for none.
    ///
    /// Celery: `autoretry_for` and the `retry_…` options.
    public var autoRetry: AutoRetry?
    /// The errors that are a part of the task's life: they fail it, but are logged as information, without traceback.
    ///
    /// Celery: `throws`.
    public var expectedErrors: [ErrorMatch]
    /// Time after which the task is cancelled and failed with `TimeLimitExceeded`.
    ///
    /// Celery: `time_limit`.
    public var timeLimit: Duration?
    /// Time after which the task is cancelled; uncaught it fails with `SoftTimeLimitExceeded`.
    ///
    /// Celery: `soft_time_limit`.
    public var softTimeLimit: Duration?
    /// How often tasks of this type may start on one worker; nil for the `task_default_rate_limit` setting.
    ///
    /// Celery: `rate_limit`.
    public var rateLimit: RateLimit?
    /// Whether no result is sent; nil for the `task_ignore_result` setting.
    ///
    /// Celery: `ignore_result`.
    public var ignoreResult: Bool?
    /// Whether a failure is sent to the caller although results are ignored; nil for the `task_store_errors_even_if_ignored` setting.
    ///
    /// Celery: `store_errors_even_if_ignored`.
    public var storeErrorsEvenIfIgnored: Bool?
    /// Whether the STARTED state is sent; nil for the `task_track_started` setting.
    ///
    /// Celery: `track_started`.
    public var trackStarted: Bool?
    /// Whether the tasks that a run sends are told to its caller, as its result's children.
    ///
    /// Celery: `trail`.
    public var trail: Bool
    /// Whether the body blocks its thread for long: it then runs on a thread that no other task has to share.
    ///
    /// In a pool of child processes it changes nothing. Not an option of Celery.
    public var blocking: Bool
    /// The priority with which this worker sends the task; nil for the `task_default_priority` setting.
    ///
    /// Celery: `priority`.
    public var priority: UInt8?
    /// How long after this worker has sent the task it is dropped if it has not started; nil for never.
    ///
    /// Celery: `expires`.
    public var expires: Duration?
    /// The serializer with which this worker sends the task; `json`, the default, is the only one.
    ///
    /// Celery: `serializer`.
    public var serializer: String?

    /// Makes settings; the defaults are Celery's.
    public init(
        acks: AcknowledgementMode? = nil,
        acksOnFailure: Bool? = nil,
        acksOnTimeout: Bool? = nil,
        rejectOnWorkerLost: Bool? = nil,
        retryOnWorkerLost: Bool? = nil,
        maxRetries: Int? = 3,
        retryDelay: Duration = .seconds(180),
        autoRetry: AutoRetry? = nil,
        expectedErrors: [ErrorMatch] = [],
        timeLimit: Duration? = nil,
        softTimeLimit: Duration? = nil,
        rateLimit: RateLimit? = nil,
        ignoreResult: Bool? = nil,
        storeErrorsEvenIfIgnored: Bool? = nil,
        trackStarted: Bool? = nil,
        trail: Bool = true,
        blocking: Bool = false,
        priority: UInt8? = nil,
        expires: Duration? = nil,
        serializer: String? = nil
    ) {
        self.acks = acks
        self.acksOnFailure = acksOnFailure
        self.acksOnTimeout = acksOnTimeout
        self.rejectOnWorkerLost = rejectOnWorkerLost
        self.retryOnWorkerLost = retryOnWorkerLost
        self.maxRetries = maxRetries
        self.retryDelay = retryDelay
        self.autoRetry = autoRetry
        self.expectedErrors = expectedErrors
        self.timeLimit = timeLimit
        self.softTimeLimit = softTimeLimit
        self.rateLimit = rateLimit
        self.ignoreResult = ignoreResult
        self.storeErrorsEvenIfIgnored = storeErrorsEvenIfIgnored
        self.trackStarted = trackStarted
        self.trail = trail
        self.blocking = blocking
        self.priority = priority
        self.expires = expires
        self.serializer = serializer
    }
}
