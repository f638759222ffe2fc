import Celery
import CeleryProtocol

/// One task of a worker: its body, and its settings with those of the configuration filled in.
///
/// Shared and not copied, since every request refers to it.
final class WorkerTask: Sendable {
    let name: String
    let body: RegisteredTask.Body
    let maxRetries: Int?
    let retryDelay: Duration
    let autoRetry: AutoRetry?
    let expectedErrors: [ErrorMatch]
    let acksLate: Bool
    let acksOnFailure: Bool
    let acksOnTimeout: Bool
    let rejectsOnWorkerLost: Bool
    let retriesOnWorkerLost: Bool
    let storesIgnoredErrors: Bool
    let isBlocking: Bool
    let ignoresResult: Bool
    let tracksStarted: Bool
    /// Whether results list the tasks that runs have sent.
    let keepsTrail: Bool
    /// The limits, which may be changed at run time.
    let limits: TaskLimits
    let hooks: WorkerHooks
    /// What runs can call of the other tasks.
    let library: TaskLibrary
    /// What counts for this task, besides its arguments, where the worker itself sends it.
    let sendOptions: TaskOptions

    /// The hard time limit of runs that start now.
    var hardLimit: Duration? { limits.values.hard }
    /// The soft time limit of runs that start now.
    var softLimit: Duration? { limits.values.soft }

    /// Fills in the settings of the configuration.
    ///
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for settings that cannot be used.
    init(
        _ task: RegisteredTask,
        _ configuration: CeleryConfiguration,
        defaultRate: RateLimit? = nil,
        hooks: WorkerHooks = .none,
        library: TaskLibrary = .none
    ) throws(CeleryError) {
        let options = task.options
        try Self.check(task)
        name = task.name
        body = task.body
        self.hooks = hooks
        self.library = library
        maxRetries = options.maxRetries
        retryDelay = options.retryDelay
        autoRetry = options.autoRetry
        expectedErrors = options.expectedErrors
        acksLate = options.acks.map { $0 == .late } ?? configuration.taskAcksLate
        let acksAnyway = configuration.taskAcksOnFailureOrTimeout
        acksOnFailure = options.acksOnFailure ?? configuration.taskAcksOnFailure ?? acksAnyway
        acksOnTimeout = options.acksOnTimeout ?? configuration.taskAcksOnTimeout ?? acksAnyway
        rejectsOnWorkerLost = options.rejectOnWorkerLost ?? configuration.taskRejectOnWorkerLost
        retriesOnWorkerLost = options.retryOnWorkerLost ?? configuration.taskRetryOnWorkerLost
        storesIgnoredErrors = options.storeErrorsEvenIfIgnored ?? configuration.taskStoreErrorsEvenIfIgnored
        ignoresResult = options.ignoreResult ?? configuration.taskIgnoreResult
        keepsTrail = options.trail
        isBlocking = options.blocking
        tracksStarted = options.trackStarted ?? configuration.taskTrackStarted
        limits = TaskLimits(
            TaskLimits.Values(
                hard: options.timeLimit?.asLimit ?? configuration.taskTimeLimit,
                soft: options.softTimeLimit?.asLimit ?? configuration.taskSoftTimeLimit,
                rate: options.rateLimit ?? defaultRate
            )
        )
        sendOptions = TaskOptions(
            priority: options.priority,
            expires: options.expires.map { .after($0) },
            timeLimit: options.timeLimit?.asLimit,
            softTimeLimit: options.softTimeLimit?.asLimit,
            ignoreResult: options.ignoreResult
        )
        if let hard = hardLimit, let soft = softLimit, soft > hard {
            throw Self.invalid(task, "its soft time limit is longer than its hard one")
        }
    }
}

extension WorkerTask {
    /// Names of the one serializer that there is.
    private static let serializers: Set<String> = ["json", "application/json"]

    /// Refuses settings that cannot be used.
    private static func check(_ task: RegisteredTask) throws(CeleryError) {
        let options = task.options
        if let serializer = options.serializer, !serializers.contains(serializer) {
            throw invalid(task, "its serializer '\(serializer)' is not there: tasks are sent as json")
        }
        if let retries = options.maxRetries, retries < 0 {
            throw invalid(task, "a number of retries cannot be negative")
        }
        if options.retryDelay < .zero { throw invalid(task, "a delay of retries cannot be negative") }
        if let problem = options.autoRetry?.problem { throw invalid(task, problem) }
    }

    private static func invalid(_ task: RegisteredTask, _ problem: String) -> CeleryError {
        CeleryError(.invalidConfiguration, "task '\(task.name)' cannot be registered: \(problem)")
    }
}
