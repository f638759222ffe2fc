import Celery
import CeleryWorker

/// The options and variables of a worker that concern events and remote control.
struct EventSettings: Sendable {
    private let taskEvents: Bool
    private let withoutGossip: Bool
    private let withoutMingle: Bool
    private let withoutHeartbeat: Bool
    private let heartbeatInterval: Int?

    /// Puts the settings together.
    ///
    /// - Throws: `CommandFailure` with the usage status for a variable with a bad value.
    init(options: EventOptions, variables: CommandEnvironment) throws {
        taskEvents = try variables.flag(options.taskEvents, .workerTaskEvents)
        withoutGossip = try variables.flag(options.withoutGossip, .workerWithoutGossip)
        withoutMingle = try variables.flag(options.withoutMingle, .workerWithoutMingle)
        withoutHeartbeat = try variables.flag(options.withoutHeartbeat, .workerWithoutHeartbeat)
        heartbeatInterval =
            try
            (options.heartbeatInterval
            ?? variables.value(.workerHeartbeatInterval, parsedBy: PositiveNumber.init(parsing:)))?.number
    }

    /// Puts what is set in the place of the configuration's settings.
    func apply(to celery: CeleryConfiguration) -> CeleryConfiguration {
        var celery = celery
        if taskEvents { celery.workerSendTaskEvents = true }
        return celery
    }

    /// Puts what is set in the place of the worker's defaults.
    func apply(to worker: WorkerConfiguration) -> WorkerConfiguration {
        var worker = worker
        worker.gossips = !withoutGossip
        worker.mingles = !withoutMingle
        worker.sendsHeartbeats = !withoutHeartbeat
        if let heartbeatInterval { worker.heartbeatInterval = .seconds(heartbeatInterval) }
        return worker
    }
}
