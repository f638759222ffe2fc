public import OrderedCollections

/// A signature as it travels: a task's name with arguments and options, to be sent later by whoever holds it.
///
/// Source: `celery.canvas.Signature`, which is a map with these keys.
public struct SignatureWire: Sendable, Hashable {
    /// The task's name.
    public var task: String
    /// The positional arguments.
    public var args: [JSONValue]
    /// The keyword arguments.
    public var kwargs: JSONObject
    /// The options of `apply_async`, and what freezing adds.
    public var options: JSONObject
    /// `chain`, `group` or `chord`; nil for a plain task.
    public var subtaskType: String?
    /// Whether arguments that are added when the signature is applied are ignored.
    public var immutable: Bool
    /// Keys that Celery does not know, in their order.
    public var extra: JSONObject

    /// Makes a signature.
    public init(
        task: String,
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: JSONObject = [:],
        subtaskType: String? = nil,
        immutable: Bool = false,
        extra: JSONObject = [:]
    ) {
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.options = options
        self.subtaskType = subtaskType
        self.immutable = immutable
        self.extra = extra
    }
}

extension SignatureWire {
    /// Reads a signature.
    ///
    /// Only `task` is required; what is missing or null is empty.
    ///
    /// - Throws: ``ProtocolError/Code/invalidSignature``, naming the key.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        guard case .object(let entries) = json else {
            throw ProtocolError(.invalidSignature, "a signature has to be a map")
        }
        guard case .string(let task)? = entries["task"] else { throw Self.wrongType("task", "text") }
        self.init(task: task)
        for (key, value) in entries { try set(key, value) }
    }

    private mutating func set(_ key: String, _ value: JSONValue) throws(ProtocolError) {
        switch (key, value) {
        case ("task", _): break
        case ("args", .array(let elements)): args = elements
        case ("kwargs", .object(let entries)): kwargs = entries
        case ("options", .object(let entries)): options = entries
        case ("subtask_type", .string(let type)): subtaskType = type
        case ("immutable", .bool(let flag)): immutable = flag
        case ("args", .null), ("kwargs", .null), ("options", .null), ("subtask_type", .null), ("immutable", .null):
            break
        case ("args", _): throw Self.wrongType(key, "a list")
        case ("kwargs", _), ("options", _): throw Self.wrongType(key, "a map")
        case ("subtask_type", _): throw Self.wrongType(key, "text or null")
        case ("immutable", _): throw Self.wrongType(key, "a boolean")
        default: extra[key] = value
        }
    }

    private static func wrongType(_ key: String, _ expected: String) -> ProtocolError {
        ProtocolError(.invalidSignature, "the signature's key '\(key)' has to be \(expected)")
    }

    /// The map as Celery writes it, with its six keys always and the extra ones behind them.
    public var json: JSONValue {
        var entries = JSONObject(minimumCapacity: 6 + extra.count)
        entries["task"] = .string(task)
        entries["args"] = .array(args)
        entries["kwargs"] = .object(kwargs)
        entries["options"] = .object(options)
        entries["subtask_type"] = subtaskType.map(JSONValue.string) ?? .null
        entries["immutable"] = .bool(immutable)
        for (key, value) in extra where entries[key] == nil { entries[key] = value }
        return .object(entries)
    }
}
