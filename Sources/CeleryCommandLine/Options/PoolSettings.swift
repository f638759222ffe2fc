import Celery
import CeleryWorker

/// The options and variables of a worker that go before settings of the configuration.
struct PoolSettings: Sendable {
    private let timeLimit: Duration?
    private let softTimeLimit: Duration?
    private let maxTasksPerChild: Int?
    private let maxMemoryPerChild: Int?
    private let stateDB: String?
    private let shutdownGrace: Duration?
    private let taskEvents: Bool
    let autoscale: AutoscaleRange?

    /// Puts the settings together.
    ///
    /// - Throws: `CommandFailure` with the usage status for a variable with a bad value.
    init(options: PoolOptions, node: NodeName, variables: CommandEnvironment) throws {
        timeLimit = try options.timeLimit ?? variables.value(.workerTimeLimit, parsedBy: TimeArgument.limit)
        softTimeLimit = try options.softTimeLimit ?? variables.value(.workerSoftTimeLimit, parsedBy: TimeArgument.limit)
        let count = PositiveNumber.init(parsing:)
        maxTasksPerChild =
            try (options.maxTasksPerChild ?? variables.value(.workerMaxTasksPerChild, parsedBy: count))?.number
        maxMemoryPerChild =
            try (options.maxMemoryPerChild ?? variables.value(.workerMaxMemoryPerChild, parsedBy: count))?.number
        stateDB = try (options.stateDB ?? variables[.workerStateDB]).map { path in
            try CommandFailure.usage { try NodeFilePath.expand(path, node: node) }
        }
        shutdownGrace =
            try options.shutdownGrace ?? variables.value(.workerShutdownGrace, parsedBy: TimeArgument.seconds)
        taskEvents = try variables.flag(options.taskEvents, .workerTaskEvents)
        autoscale = try options.autoscale ?? variables.value(.workerAutoscale, parsedBy: AutoscaleRange.init(parsing:))
        // These have no effect; a value that cannot be meant is complained about nevertheless.
        _ = try variables.value(.workerOptimization, parsedBy: Optimization.init(parsing:))
        _ = try variables.value(.workerPoolStartMethod, parsedBy: PoolStartMethod.init(parsing:))
        _ = try variables.value(.workerHeartbeatInterval, parsedBy: count)
    }

    /// Puts what is set in the place of the configuration's settings.
    func apply(to celery: CeleryConfiguration) -> CeleryConfiguration {
        var celery = celery
        if let timeLimit { celery.taskTimeLimit = timeLimit }
        if let softTimeLimit { celery.taskSoftTimeLimit = softTimeLimit }
        if let maxTasksPerChild { celery.workerMaxTasksPerChild = maxTasksPerChild }
        if let maxMemoryPerChild { celery.workerMaxMemoryPerChild = maxMemoryPerChild }
        if let stateDB { celery.workerStateDB = stateDB }
        if let shutdownGrace { celery.workerShutdownGracePeriod = shutdownGrace }
        if taskEvents { celery.workerSendTaskEvents = true }
        return celery
    }
}
