import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

// Commands that show the tasks that a worker holds.
extension ControlCommand {
    static let showingTasks: [ControlCommand] = [active, reserved, scheduled, queryTask]

    /// How many tasks one reply shows at most; those that are first in line, or due first.
    static let mostTasks = 10_000
    /// How long a worker may take to tell what it holds.
    private static let patience = Duration.seconds(5)
    /// The priority of Celery's timer for tasks of later.
    private static let timerPriority = 6

    private static let active = ControlCommand("active", alias: "dump_active") { arguments, worker in
        let safe = arguments["safe"]?.isTrue == true
        let tasks = worker.parts.pool.running.map(TaskInfo.init).filter { $0.startedAt != nil }
        return .reply(.array(shown(tasks, worker).map { $0.json(of: worker.hostname, safe: safe) }))
    }

    private static let reserved = ControlCommand("reserved", alias: "dump_reserved") { _, worker in
        let tasks = await held(worker).reserved(worker)
        return .reply(.array(shown(tasks, worker).map { $0.json(of: worker.hostname) }))
    }

    private static let scheduled = ControlCommand("scheduled", alias: "dump_schedule") { _, worker in
        let parked = shown(await held(worker).parked.ordered, worker)
        return .reply(.array(parked.compactMap { entry($0, worker) }))
    }

    private static let queryTask = ControlCommand("query_task", ControlSignature(["ids"])) { arguments, worker in
        let wanted = Set(try arguments.texts("ids"))
        let held = await held(worker)
        var states: JSONObject = [:]
        func add(_ info: TaskInfo, _ state: JSONValue) {
            let id = info.envelope.headers.id
            guard wanted.contains(id), states[id] == nil else { return }
            states[id] = [state, info.json(of: worker.hostname)]
        }
        for request in held.running where wanted.contains(request.id) {
            let info = TaskInfo(request)
            add(info, info.startedAt == nil ? "reserved" : "active")
        }
        for request in held.waiting where wanted.contains(request.id) { add(TaskInfo(request), "reserved") }
        let hashes = Set(wanted.map(\.hashValue))
        for delivery in held.limited where hashes.contains(delivery.idHash) {
            if let info = TaskInfo(delivery, worker) { add(info, "reserved") }
        }
        for delivery in held.parked.elements where hashes.contains(delivery.idHash) {
            if let info = TaskInfo(delivery, worker) { add(info, "scheduled") }
        }
        // In the order of the question.
        var answer: JSONObject = [:]
        for id in try arguments.texts("ids") { if let state = states[id] { answer[id] = state } }
        return .reply(.object(answer))
    }

    /// What the worker holds: told by its dispatcher, so that nothing is counted twice or missed.
    static func held(_ worker: Worker) async -> HeldTasks {
        let gate = Gate<HeldTasks>()
        worker.parts.intake.post(.view(gate))
        return await gate.wait(limit: patience) ?? HeldTasks(running: worker.parts.pool.running)
    }

    private static func shown<Element>(_ tasks: [Element], _ worker: Worker) -> ArraySlice<Element> {
        if tasks.count > mostTasks {
            worker.parts.logger.warning(
                "Not all tasks are shown to remote control",
                metadata: ["tasks": "\(tasks.count)", "shown": "\(mostTasks)"]
            )
        }
        return tasks.prefix(mostTasks)
    }

    private static func entry(_ parked: ParkedDelivery, _ worker: Worker) -> JSONValue? {
        guard let info = TaskInfo(parked, worker) else { return nil }
        return [
            "eta": info.eta(timezone: worker.parts.celery.timezone),
            "priority": .int(timerPriority),
            "request": info.json(of: worker.hostname),
        ]
    }
}

extension HeldTasks {
    /// What is fetched and has not begun; with what waits for a rate, which Celery does not show anywhere.
    fileprivate func reserved(_ worker: Worker) -> [TaskInfo] {
        let taken = running.map(TaskInfo.init).filter { $0.startedAt == nil }
        return taken + waiting.map(TaskInfo.init)
            + limited.prefix(ControlCommand.mostTasks).compactMap { TaskInfo($0, worker) }
    }
}

extension TaskInfo {
    fileprivate init?(_ parked: ParkedDelivery, _ worker: Worker) {
        self.init(parked, accept: worker.parts.dispatching.settings.accepted)
    }

    /// The time of the task as Python's `isoformat` writes it, with the message's offset or the configuration's.
    fileprivate func eta(timezone: TimeZone) -> JSONValue {
        guard let text = envelope.headers.eta, let date = try? WireDate(parsing: text) else { return .null }
        guard date.offsetSeconds == nil else { return .string(date.text) }
        // A time without an offset is one of the configuration's timezone where the sender says so, else UTC.
        let zone = envelope.utc ? .gmt : timezone
        let offset = zone.secondsFromGMT(for: date.date)
        let instant = date.date.addingTimeInterval(-Double(offset))
        return .string(WireDate(instant, offsetSeconds: offset).text)
    }
}
