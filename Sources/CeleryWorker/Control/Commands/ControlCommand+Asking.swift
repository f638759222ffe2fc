import Celery
import CeleryProtocol

// Commands that only ask; Celery's `celery.worker.control`.
extension ControlCommand {
    static let asking: [ControlCommand] = [
        ping, clock, report, conf, stats, registered, revoked, memsample, memdump, objgraph,
    ]

    /// Attributes that `registered` shows unless told otherwise.
    private static let usualAttributes = ["exchange", "routing_key", "rate_limit"]
    /// How many attributes one may ask for.
    private static let mostAttributes = 100

    private static let ping = ControlCommand("ping") { _, _ in .ok("pong") }

    private static let clock = ControlCommand("clock") { _, worker in
        .reply(["clock": .int(worker.parts.clock.value)])
    }

    private static let report = ControlCommand("report", ControlSignature(takesOthers: false)) { _, worker in
        .ok(.string(SoftwareReport.text(worker.parts.celery)))
    }

    private static let conf = ControlCommand(
        "conf",
        alias: "dump_conf",
        ControlSignature(optional: ["with_defaults"])
    ) { arguments, worker in
        .reply(.object(worker.parts.celery.table(withDefaults: arguments["with_defaults"]?.isTrue == true)))
    }

    private static let stats = ControlCommand("stats") { _, worker in .reply(WorkerStats(worker: worker).json) }

    private static let registered = ControlCommand(
        "registered",
        alias: "dump_tasks",
        ControlSignature(optional: ["taskinfoitems", "builtins"])
    ) { arguments, worker in
        let wanted = arguments["taskinfoitems"]?.arrayValue ?? []
        let names = wanted.compactMap(\.stringValue).filter { !$0.hasPrefix("_") }.prefix(mostAttributes)
        let attributes = arguments["taskinfoitems"]?.isTrue == true ? Array(names) : usualAttributes
        let hidesOwn = arguments["builtins"]?.isTrue != true
        let tasks = worker.parts.dispatching.tasks.all.filter { !hidesOwn || !$0.name.hasPrefix("celery.") }
        return .reply(.array(tasks.map { .string(line(of: $0, attributes)) }))
    }

    /// A task's name with those of the attributes that it has.
    private static func line(of task: WorkerTask, _ attributes: [String]) -> String {
        let fields = attributes.compactMap { name in task.text(of: name).map { "\(name)=\($0)" } }
        return fields.isEmpty ? task.name : "\(task.name) [\(fields.joined(separator: " "))]"
    }

    private static let revoked = ControlCommand("revoked", alias: "dump_revoked") { _, worker in
        .reply(.array(worker.revokedIDs.map(JSONValue.string)))
    }

    private static let memsample = ControlCommand("memsample") { _, worker in
        .reply(worker.parts.memorySamples.take().map(JSONValue.string) ?? .null)
    }

    private static let memdump = ControlCommand("memdump", ControlSignature(optional: ["samples"])) { _, worker in
        .reply(.string(worker.parts.memorySamples.dump()))
    }

    private static let objgraph = ControlCommand(
        "objgraph",
        ControlSignature(optional: ["num", "max_depth", "type"], takesOthers: false)
    ) { _, _ in
        throw TaskError(type: "NotImplementedError", "objgraph draws the objects of Python, and this worker has none")
    }
}
