import OrderedCollections

extension ResultMessage {
    /// Reads a body in JSON.
    ///
    /// - Parameters:
    ///   - bytes: the body.
    ///   - correlationID: the message's property, which stands in for a `task_id` that the body lacks.
    ///   - limits: how much is read.
    /// - Throws: a code of the JSON reader, or ``ProtocolError/Code/invalidResult``, naming the entry.
    public init(
        decoding bytes: [UInt8],
        correlationID: String? = nil,
        limits: JSONLimits = JSONLimits()
    ) throws(ProtocolError) {
        try self.init(decoding: JSONValue(parsing: bytes, limits: limits), correlationID: correlationID)
    }

    /// Reads a body that a serializer has decoded already.
    ///
    /// - Throws: ``ProtocolError/Code/invalidResult``, naming the entry.
    public init(decoding json: JSONValue, correlationID: String? = nil) throws(ProtocolError) {
        guard case .object(let entries) = json else { throw ProtocolError(.invalidResult, "a result has to be a map") }
        var reader = ResultReader(entries)
        for (key, value) in entries { try reader.read(key, value) }
        self = try reader.finished(correlationID: correlationID)
    }
}

/// Collects a result's entries in one pass, whatever their order.
private struct ResultReader {
    private var state: TaskState?
    private var taskID: String?
    private var message = ResultMessage(taskID: "", state: .pending)
    private var extended = ResultMessage.Extended(name: nil)
    private var isExtended = false
    private let stampNames: Set<String>

    init(_ entries: JSONObject) {
        // The names come before the stamps in Celery's order, but no reader relies on order.
        stampNames = Set(entries["stamped_headers"]?.arrayValue?.compactMap(\.stringValue) ?? [])
    }

    mutating func read(_ key: String, _ value: JSONValue) throws(ProtocolError) {
        switch key {
        case "status": state = try Self.text(value, key).map(TaskState.init(name:))
        case "result": message.result = value
        case "traceback": message.traceback = try Self.text(value, key)
        case "children": message.children = try Self.list(value, key)
        case "date_done": message.dateDone = try Self.date(value, key)
        case "group_id": message.groupID = try Self.text(value, key)
        case "parent_id": message.parentID = try Self.text(value, key)
        case "task_id": taskID = try Self.text(value, key)
        default: try readExtended(key, value)
        }
    }

    private mutating func readExtended(_ key: String, _ value: JSONValue) throws(ProtocolError) {
        switch key {
        case "name": extended.name = try Self.text(value, key)
        case "args": extended.args = value
        case "kwargs": extended.kwargs = value
        case "worker": extended.worker = try Self.text(value, key)
        case "retries": extended.retries = try Self.integer(value, key)
        case "queue": extended.queue = try Self.text(value, key)
        case "stamped_headers": extended.stampedHeaders = try Self.names(value, key)
        case _ where stampNames.contains(key): extended.stamps[key] = value
        default:
            message.extra[key] = value
            return
        }
        isExtended = true
    }

    consuming func finished(correlationID: String?) throws(ProtocolError) -> ResultMessage {
        guard let state else { throw ProtocolError(.invalidResult, "the result's entry 'status' is missing") }
        guard let taskID = taskID ?? correlationID else {
            throw ProtocolError(.invalidResult, "the result has neither 'task_id' nor a correlation id")
        }
        message.state = state
        message.taskID = taskID
        if isExtended { message.extended = extended }
        return message
    }
}

extension ResultReader {
    private static func text(_ json: JSONValue, _ key: String) throws(ProtocolError) -> String? {
        switch json {
        case .string(let text): return text
        case .null: return nil
        default: throw wrongType(key, "text or null")
        }
    }

    /// Celery sends text; other backends' senders let the serializer write the date.
    private static func date(_ json: JSONValue, _ key: String) throws(ProtocolError) -> String? {
        if case .datetime(let date) = json { return date.text }
        return try text(json, key)
    }

    private static func integer(_ json: JSONValue, _ key: String) throws(ProtocolError) -> Int? {
        switch json {
        case .int(let number): return number
        case .null: return nil
        default: throw wrongType(key, "an integer or null")
        }
    }

    private static func list(_ json: JSONValue, _ key: String) throws(ProtocolError) -> [JSONValue] {
        switch json {
        case .array(let elements): return elements
        case .null: return []
        default: throw wrongType(key, "a list or null")
        }
    }

    private static func names(_ json: JSONValue, _ key: String) throws(ProtocolError) -> [String]? {
        if json.isNull { return nil }
        guard case .array(let elements) = json else { throw wrongType(key, "a list of text or null") }
        var names: [String] = []
        for element in elements {
            guard case .string(let name) = element else { throw wrongType(key, "a list of text or null") }
            names.append(name)
        }
        return names
    }

    private static func wrongType(_ key: String, _ expected: String) -> ProtocolError {
        ProtocolError(.invalidResult, "the result's entry '\(key)' has to be \(expected)")
    }
}
