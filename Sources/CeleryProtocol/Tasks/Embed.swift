public import OrderedCollections

/// The third element of a task's body: what happens after the task.
///
/// Signatures stay as they came (``SignatureWire`` reads one), so that a worker passes them on unchanged.
/// Source: `celery.app.amqp.AMQP.as_task_v2`.
public struct Embed: Sendable, Hashable {
    /// Signatures to apply with the result when the task succeeds (`link`).
    public var callbacks: [JSONValue]?
    /// Signatures to apply when the task fails (`link_error`).
    public var errbacks: [JSONValue]?
    /// The remaining steps of a chain **in reverse order**: the next one is the last element.
    public var chain: [JSONValue]?
    /// Signature of the chord's body, where the task is a part of a chord's header.
    public var chord: JSONValue?
    /// Entries that Celery does not know, in their order.
    public var extra: JSONObject

    /// Makes an embed; by default one in which nothing follows.
    public init(
        callbacks: [JSONValue]? = nil,
        errbacks: [JSONValue]? = nil,
        chain: [JSONValue]? = nil,
        chord: JSONValue? = nil,
        extra: JSONObject = [:]
    ) {
        self.callbacks = callbacks
        self.errbacks = errbacks
        self.chain = chain
        self.chord = chord
        self.extra = extra
    }
}

extension Embed {
    /// Reads an embed; null is an empty one.
    ///
    /// - Throws: ``ProtocolError/Code/invalidEmbed`` where an entry is not what Celery puts there. A worker thus learns it
    ///   before the task runs, not when it is done.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        self.init()
        switch json {
        case .null: break
        case .object(let entries): for (key, value) in entries { try set(key, value) }
        default: throw ProtocolError(.invalidEmbed, "the body's third element has to be a map or null")
        }
    }

    /// Takes one of the entries, which protocol 1 keeps at the top of its body.
    mutating func set(_ key: String, _ value: JSONValue) throws(ProtocolError) {
        switch key {
        case "callbacks": callbacks = try Self.signatures(value, key)
        case "errbacks": errbacks = try Self.signatures(value, key)
        case "chain": chain = try Self.signatures(value, key)
        case "chord": chord = try Self.signature(value, key)
        default: extra[key] = value
        }
    }

    private static func signatures(_ json: JSONValue, _ key: String) throws(ProtocolError) -> [JSONValue]? {
        switch json {
        case .null:
            return nil
        case .array(let elements):
            for case let element in elements { _ = try map(element, key) }
            return elements
        default:
            throw invalid(key, "a list of signatures or null")
        }
    }

    private static func signature(_ json: JSONValue, _ key: String) throws(ProtocolError) -> JSONValue? {
        if json.isNull { return nil }
        return try map(json, key)
    }

    private static func map(_ json: JSONValue, _ key: String) throws(ProtocolError) -> JSONValue {
        guard case .object = json else { throw invalid(key, "made of signatures, which are maps") }
        return json
    }

    private static func invalid(_ key: String, _ expected: String) -> ProtocolError {
        ProtocolError(.invalidEmbed, "the embed's entry '\(key)' has to be \(expected)")
    }
}

extension Embed {
    /// The map as Celery writes it: its four keys always, then the extra ones.
    public var json: JSONValue {
        var entries = JSONObject(minimumCapacity: 4 + extra.count)
        entries["callbacks"] = callbacks.map(JSONValue.array) ?? .null
        entries["errbacks"] = errbacks.map(JSONValue.array) ?? .null
        entries["chain"] = chain.map(JSONValue.array) ?? .null
        entries["chord"] = chord ?? .null
        for (key, value) in extra where entries[key] == nil { entries[key] = value }
        return .object(entries)
    }

    /// Whether nothing follows the task, and no extra entry is to be kept.
    var isEmpty: Bool { callbacks == nil && errbacks == nil && chain == nil && chord == nil && extra.isEmpty }
}
