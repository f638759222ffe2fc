import OrderedCollections

extension ResultMessage {
    /// Writes the body with Celery's keys in Celery's order, byte for byte as its JSON serializer does.
    public func encoded() -> [UInt8] {
        var writer = ResultWriter()
        writer.write("status", .string(state.name))
        writer.write("result", result)
        writer.write("traceback", .text(traceback))
        writer.write("children", .array(children))
        writer.write("date_done", .text(dateDone))
        if let groupID { writer.write("group_id", .string(groupID)) }
        if let parentID { writer.write("parent_id", .string(parentID)) }
        if let extended { extended.write(to: &writer) }
        for (key, value) in extra where !Self.ownKeys.contains(key) { writer.write(key, value) }
        writer.write("task_id", .string(taskID))
        return writer.finished()
    }
}

extension ResultMessage {
    /// Keys with a meaning of their own, which neither a stamp nor an unknown entry may write a second time.
    fileprivate static let ownKeys: Set<String> = [
        "status", "result", "traceback", "children", "date_done", "group_id", "parent_id", "name", "args", "kwargs",
        "worker",
        "retries", "queue", "stamped_headers", "task_id",
    ]
}

extension ResultMessage.Extended {
    fileprivate func write(to writer: inout ResultWriter) {
        writer.write("name", .text(name))
        writer.write("args", args)
        writer.write("kwargs", kwargs)
        writer.write("worker", .text(worker))
        writer.write("retries", retries.map(JSONValue.int) ?? .null)
        writer.write("queue", .text(queue))
        guard let stampedHeaders else { return }
        writer.write("stamped_headers", .array(stampedHeaders.map(JSONValue.string)))
        for (key, value) in stamps where !ResultMessage.ownKeys.contains(key) { writer.write(key, value) }
    }
}

/// Writes a map entry by entry: every task with a result does this once, so no map is built first.
private struct ResultWriter {
    private var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(192)
        bytes.append(UInt8(ascii: "{"))
    }

    mutating func write(_ key: String, _ value: JSONValue) {
        if bytes.count > 1 { bytes.append(contentsOf: ", ".utf8) }
        JSONValue.string(key).write(to: &bytes)
        bytes.append(contentsOf: ": ".utf8)
        value.write(to: &bytes)
    }

    consuming func finished() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension JSONValue {
    /// A string, or null.
    fileprivate static func text(_ text: String?) -> JSONValue {
        if let text { .string(text) } else { .null }
    }
}
