import Celery
import CeleryProtocol

/// One task of a registry.
///
/// Types are erased here: arguments and result are JSON values.
struct RegisteredTask: Sendable {
    /// A task's body behind the binding of its arguments.
    typealias Body = @Sendable (TaskContext, [JSONValue], JSONObject) async throws -> JSONValue

    let name: String
    let options: TaskRegistrationOptions
    let body: Body
}

/// One task of a worker: its body, and its settings with those of the configuration filled in.
///
/// Shared and not copied, since every request refers to it.
final class WorkerTask: Sendable {
    let name: String
    let body: RegisteredTask.Body
    let maxRetries: Int?
    let retryDelay: Duration
    let acksLate: Bool
    let acksOnFailure: Bool
    let acksOnTimeout: Bool
    let rejectsOnWorkerLost: Bool
    let retriesOnWorkerLost: Bool
    let storesIgnoredErrors: Bool
    let ignoresResult: Bool
    let tracksStarted: Bool
    /// The limits, which may be changed at run time.
    let limits: TaskLimits
    /// What counts for this task, besides its arguments, where the worker itself sends it.
    let sendOptions: TaskOptions

    /// The hard time limit of runs that start now.
    var hardLimit: Duration? { limits.values.hard }
    /// The soft time limit of runs that start now.
    var softLimit: Duration? { limits.values.soft }

    init(_ task: RegisteredTask, _ configuration: CeleryConfiguration, defaultRate: RateLimit? = nil) {
        let options = task.options
        name = task.name
        body = task.body
        maxRetries = options.maxRetries
        retryDelay = options.retryDelay
        acksLate = options.acks.map { $0 == .late } ?? configuration.taskAcksLate
        let acksAnyway = configuration.taskAcksOnFailureOrTimeout
        acksOnFailure = options.acksOnFailure ?? configuration.taskAcksOnFailure ?? acksAnyway
        acksOnTimeout = options.acksOnTimeout ?? configuration.taskAcksOnTimeout ?? acksAnyway
        rejectsOnWorkerLost = options.rejectOnWorkerLost ?? configuration.taskRejectOnWorkerLost
        retriesOnWorkerLost = options.retryOnWorkerLost ?? configuration.taskRetryOnWorkerLost
        storesIgnoredErrors = options.storeErrorsEvenIfIgnored ?? configuration.taskStoreErrorsEvenIfIgnored
        ignoresResult = options.ignoreResult ?? configuration.taskIgnoreResult
        tracksStarted = options.trackStarted ?? configuration.taskTrackStarted
        limits = TaskLimits(
            TaskLimits.Values(
                hard: options.timeLimit ?? configuration.taskTimeLimit,
                soft: options.softTimeLimit ?? configuration.taskSoftTimeLimit,
                rate: options.rateLimit ?? defaultRate
            )
        )
        sendOptions = TaskOptions(
            timeLimit: options.timeLimit,
            softTimeLimit: options.softTimeLimit,
            ignoreResult: options.ignoreResult
        )
    }
}

/// The tasks of a worker by name.
struct TaskTable: Sendable {
    private let tasks: [String: WorkerTask]

    /// - Throws: ``CeleryError`` for a default rate limit that cannot be read.
    init(_ tasks: some Sequence<RegisteredTask>, _ configuration: CeleryConfiguration) throws(CeleryError) {
        var defaultRate: RateLimit?
        if let text = configuration.taskDefaultRateLimit { defaultRate = try RateLimit(text) }
        var table: [String: WorkerTask] = [:]
        for task in tasks { table[task.name] = WorkerTask(task, configuration, defaultRate: defaultRate) }
        self.tasks = table
    }

    subscript(name: String) -> WorkerTask? { tasks[name] }

    /// All tasks, by name.
    var all: [WorkerTask] { tasks.values.sorted { $0.name < $1.name } }
}
