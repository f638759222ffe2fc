import Celery
import CeleryProtocol

/// The tasks `celery.chunks`, `celery.group` and `celery.chord`, which send what they are given.
///
/// Clients send groups and chords themselves; these tasks arrive where a signature travels inside of other things, and from
/// old clients. Source: `celery.app.builtins`.
enum LegacyCanvas {
    /// `chunks(task, it, n)`: answers the group's result as a tuple.
    static func chunks(_ context: TaskContext, _ args: [JSONValue], _ kwargs: JSONObject) async throws -> JSONValue {
        let values = try bind("chunks", required: ["task", "it", "n"], args, kwargs)
        guard let task = values[0], let calls = values[1]?.arrayValue, let size = values[2]?.intValue, size > 0 else {
            throw TaskError(type: "ValueError", "chunks() needs a task, a list of arguments and a size from 1")
        }
        let given: JSONObject = ["task": task, "it": .array(calls), "n": .int(size)]
        let chunks = Signature(wire: SignatureWire(task: "celery.chunks", kwargs: given, immutable: true))
        guard let group = try chunks.chunksGroup() else { return .null }
        return try await send(group, TaskOptions(), context)
    }

    /// `group(tasks, result, group_id, partial_args, add_to_parent=True)`: answers the result that it was given.
    static func group(_ context: TaskContext, _ args: [JSONValue], _ kwargs: JSONObject) async throws -> JSONValue {
        let names = ["tasks", "result", "group_id", "partial_args"]
        let values = try bind("group", required: names, optional: ["add_to_parent"], args, kwargs)
        guard let tasks = values[0]?.arrayValue, let result = values[1], let id = values[2]?.stringValue else {
            throw TaskError(type: "TypeError", "group() needs a list of tasks, a result and the group's id")
        }
        let members = try signatures(tasks, values[3]?.arrayValue ?? [])
        try await context.send(Signature.group(of: members), options: TaskOptions(taskID: id))
        return result
    }

    /// `chord(header, body, partial_args=(), …)`: answers the result of the body as a tuple.
    static func chord(_ context: TaskContext, _ args: [JSONValue], _ kwargs: JSONObject) async throws -> JSONValue {
        let optional = ["partial_args", "interval", "countdown", "max_retries", "eager"]
        let known = Set(["header", "body"] + optional)
        let values = try bind(
            "chord",
            required: ["header", "body"],
            optional: optional,
            args,
            kwargs.filter { known.contains($0.key) }
        )
        guard let header = values[0], let body = values[1] else { return .null }
        let tasks = header.arrayValue ?? header["kwargs"]?["tasks"]?.arrayValue
        guard let tasks else { throw TaskError(type: "TypeError", "chord() needs a header, a list of tasks") }
        let members = try signatures(tasks, values[2]?.arrayValue ?? [])
        // What is no parameter is an option of the chord.
        let options = try TaskOptions(decoding: kwargs.filter { !known.contains($0.key) })
        return try await send(Signature.chord(of: members, body: try Signature(decoding: body)), options, context)
    }

    private static func send(
        _ signature: Signature,
        _ options: TaskOptions,
        _ context: TaskContext
    ) async throws -> JSONValue {
        let id = try await context.send(signature, options: options)
        return context.children.last { $0.id == id }?.json ?? ResultTuple(id: id).json
    }

    private static func signatures(_ tasks: [JSONValue], _ partial: [JSONValue]) throws -> [Signature] {
        try tasks.map { try Signature(decoding: $0).clone(args: partial) }
    }

    /// Every parameter's value; those that are missing are nil.
    private static func bind(
        _ function: String,
        required: [String],
        optional: [String] = [],
        _ args: [JSONValue],
        _ kwargs: JSONObject
    ) throws -> [JSONValue?] {
        let slots =
            required.map { ArgumentBinding.Slot(name: $0, isOptional: false, defaultValue: nil) }
            + optional.map { ArgumentBinding.Slot(name: $0, isOptional: true, defaultValue: nil) }
        return try ArgumentBinding(taskName: function, slots: slots).bind(args, kwargs)
    }
}
