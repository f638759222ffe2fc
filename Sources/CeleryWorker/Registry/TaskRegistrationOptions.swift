/// When the message of a task is acknowledged.
public enum AcknowledgementMode: Sendable, Hashable {
    /// As the task starts, Celery's default: a crash loses the task, a rerun never happens.
    case early
    /// After the outcome is published and confirmed: a crash makes the broker deliver the task again.
    case late
}

/// Settings of one task; each is an attribute of the same name of Celery's `Task`.
public struct TaskRegistrationOptions: Sendable, Hashable {
    /// When the message is acknowledged; nil for the `task_acks_late` setting.
    ///
    /// Celery: `acks_late`.
    public var acks: AcknowledgementMode?
    /// Whether a failed task with late acknowledgement is acknowledged rather than rejected; nil for the settings.
    ///
    /// Celery: `acks_on_failure_or_timeout`.
    public var acksOnFailure: Bool?
    /// How many retries are allowed; nil for no limit.
    ///
    /// Celery: `max_retries`.
    public var maxRetries: Int?
    /// Wait before a retry that names none.
    ///
    /// Celery: `default_retry_delay`.
    public var retryDelay: Duration
    /// Time after which the task is cancelled and failed with `TimeLimitExceeded`.
    ///
    /// Celery: `time_limit`.
    public var timeLimit: Duration?
    /// Time after which the task is cancelled; uncaught it fails with `SoftTimeLimitExceeded`.
    ///
    /// Celery: `soft_time_limit`.
    public var softTimeLimit: Duration?
    /// Whether no result is sent; nil for the `task_ignore_result` setting.
    ///
    /// Celery: `ignore_result`.
    public var ignoreResult: Bool?
    /// Whether the STARTED state is sent; nil for the `task_track_started` setting.
    ///
    /// Celery: `track_started`.
    public var trackStarted: Bool?

    /// Makes settings; the defaults are Celery's.
    public init(
        acks: AcknowledgementMode? = nil,
        acksOnFailure: Bool? = nil,
        maxRetries: Int? = 3,
        retryDelay: Duration = .seconds(180),
        timeLimit: Duration? = nil,
        softTimeLimit: Duration? = nil,
        ignoreResult: Bool? = nil,
        trackStarted: Bool? = nil
    ) {
        self.acks = acks
        self.acksOnFailure = acksOnFailure
        self.maxRetries = maxRetries
        self.retryDelay = retryDelay
        self.timeLimit = timeLimit
        self.softTimeLimit = softTimeLimit
        self.ignoreResult = ignoreResult
        self.trackStarted = trackStarted
    }
}
