import Celery
import CeleryProtocol
import Logging

// Commands about the pool, and the worker as a whole.
extension ControlCommand {
    static let steering: [ControlCommand] = [
        poolGrow, poolShrink, autoscale, poolRestart, shutdown, enableEvents, disableEvents, heartbeat,
    ]

    private static let poolGrow = ControlCommand("pool_grow", ControlSignature(optional: ["n"])) { arguments, worker in
        if worker.parts.pool.autoscale != nil { return fixedByAutoscale("pool_grow") }
        let count = try slots(arguments, worker)
        let now = worker.pool.concurrency
        worker.resizePool(to: min(now + count, CeleryConfiguration.maxConcurrency))
        return .ok("pool will grow")
    }

    private static let poolShrink = ControlCommand("pool_shrink", ControlSignature(optional: ["n"])) {
        arguments,
        worker in
        if worker.parts.pool.autoscale != nil { return fixedByAutoscale("pool_shrink") }
        let count = try slots(arguments, worker)
        let now = worker.pool.concurrency
        guard count < now else { throw TaskError.value("Can't shrink pool. One of its \(now) slots has to stay.") }
        worker.resizePool(to: now - count)
        return .ok("pool will shrink")
    }

    private static func fixedByAutoscale(_ command: String) -> ControlAnswer {
        .error("\(command) is not supported with autoscale. Adjust autoscale range instead.")
    }

    /// How many slots are to come or to go.
    private static func slots(_ arguments: JSONObject, _ worker: Worker) throws(TaskError) -> Int {
        guard worker.parts.configuration.pool != .solo else {
            throw TaskError(type: "NotImplementedError", "the pool 'solo' has one slot")
        }
        let count = try arguments.integer("n") ?? 1
        guard count >= 0, count <= CeleryConfiguration.maxConcurrency else {
            throw .value("'n' has to be within 0 and \(CeleryConfiguration.maxConcurrency)")
        }
        return count
    }

    private static let autoscale = ControlCommand(
        "autoscale",
        ControlSignature(optional: ["max", "min"], takesOthers: false)
    ) { arguments, worker in
        let max = try arguments.integer("max")
        let min = try arguments.integer("min")
        guard let bounds = worker.setAutoscale(max: max, min: min) else {
            throw TaskError.value("Autoscale not enabled")
        }
        return .ok(.string("autoscale now max=\(bounds.max) min=\(bounds.min)"))
    }

    private static let poolRestart = ControlCommand(
        "pool_restart",
        ControlSignature(optional: ["modules", "reload", "reloader"])
    ) { _, worker in
        guard worker.parts.celery.workerPoolRestarts else { throw TaskError.value("Pool restarts not enabled") }
        worker.restartPool()
        return .ok("reload started")
    }

    private static let shutdown = ControlCommand("shutdown", ControlSignature(optional: ["msg"])) { arguments, worker in
        let message = arguments["msg"]?.stringValue ?? "Got shutdown from remote"
        worker.parts.logger.warning("\(message.loggable)")
        worker.triggerShutdown(.warm)
        return .silence
    }

    // MARK: Events

    private static let enableEvents = ControlCommand("enable_events", ControlSignature(takesOthers: false)) {
        _,
        worker in
        guard worker.parts.events.enableTaskEvents() else { return .ok("task events already enabled") }
        worker.parts.logger.info("Events of group {task} enabled by remote.")
        return .ok("task events enabled")
    }

    private static let disableEvents = ControlCommand("disable_events", ControlSignature(takesOthers: false)) {
        _,
        worker in
        guard worker.parts.events.disableTaskEvents() else { return .ok("task events already disabled") }
        worker.parts.logger.info("Events of group {task} disabled by remote.")
        return .ok("task events disabled")
    }

    private static let heartbeat = ControlCommand("heartbeat", ControlSignature(takesOthers: false)) { _, worker in
        worker.parts.logger.debug("Heartbeat requested by remote.")
        worker.parts.events.sendHeartbeat()
        return .reply(.null)
    }
}
