public import AMQPValues
import OrderedCollections

extension EventMessage {
    /// How much a receiver reads of one message: what events hold is short, but a batch may have many.
    public static let limits = JSONLimits(maxDepth: 32, maxBytes: 16 << 20)

    private static let type = "type"
    private static let hostname = "hostname"
    private static let utcOffset = "utcoffset"
    private static let processID = "pid"
    private static let clock = "clock"
    private static let timestamp = "timestamp"
    private static let common: Set<String> = [type, hostname, utcOffset, processID, clock, timestamp]

    // MARK: Writing

    /// The map as Celery writes it: what all events have around what only this type has.
    ///
    /// Fields with names of what all events have are left out.
    public var json: JSONValue {
        var entries = JSONObject(minimumCapacity: fields.count + 6)
        entries[Self.hostname] = .string(hostname)
        entries[Self.utcOffset] = utcOffset.map(JSONValue.double) ?? .null
        entries[Self.processID] = processID.map(JSONValue.int) ?? .null
        entries[Self.clock] = clock.map(JSONValue.int) ?? .null
        for (key, value) in fields where !Self.common.contains(key) { entries[key] = value }
        entries[Self.timestamp] = timestamp.map(JSONValue.double) ?? .null
        entries[Self.type] = .string(type)
        return .object(entries)
    }

    /// The body of a message that holds this event alone.
    public func encoded() -> [UInt8] { json.serialized() }

    /// The body of a message that holds these events (routing key `GROUP.multi`).
    public static func encoded(_ events: [EventMessage]) -> [UInt8] {
        JSONValue.array(events.map(\.json)).serialized()
    }

    /// The properties of a message with events of this node.
    public static func properties(hostname: String) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.headers = [Self.hostname: .string(hostname)]
        properties.deliveryMode = 1
        properties.priority = 0
        return properties
    }

    // MARK: Reading

    /// Reads the events of a message: one, or a batch.
    ///
    /// - Parameters:
    ///   - properties: the message's properties.
    ///   - body: its body.
    ///   - accept: the content types that are read.
    ///   - limits: how much is read.
    /// - Throws: a code of the reader of the body, or ``ProtocolError/Code/invalidEvent``.
    public static func events(
        _ properties: BasicProperties,
        body: [UInt8],
        accept: AcceptedContent = .json,
        limits: JSONLimits = EventMessage.limits
    ) throws(ProtocolError) -> [EventMessage] {
        try ContentFormats.check(
            contentType: properties.contentType,
            bodySize: body.count,
            accept: accept,
            limits: limits
        )
        let json = try ContentFormats.decode(body, contentType: properties.contentType ?? "", limits: limits)
        guard case .array(let batch) = json else { return [try EventMessage(decoding: json)] }
        var events: [EventMessage] = []
        events.reserveCapacity(batch.count)
        for event in batch { events.append(try EventMessage(decoding: event)) }
        return events
    }

    /// Reads one event.
    ///
    /// Of what all events have only the type has to be there; what is there has to be of its type, or null.
    ///
    /// - Throws: ``ProtocolError/Code/invalidEvent``, naming the field.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        guard case .object(var fields) = json else { throw Self.invalid("an event has to be a map") }
        guard let type = fields[Self.type]?.stringValue, !type.isEmpty else {
            throw Self.invalid("an event has to have a type")
        }
        let hostname = try Self.take(Self.hostname, of: &fields, \.stringValue)
        let utcOffset = try Self.take(Self.utcOffset, of: &fields, \.doubleValue)
        let processID = try Self.take(Self.processID, of: &fields, \.intValue)
        let clock = try Self.take(Self.clock, of: &fields, \.intValue)
        let timestamp = try Self.take(Self.timestamp, of: &fields, \.doubleValue)
        fields[Self.type] = nil
        self.init(
            type: type,
            hostname: hostname ?? "",
            utcOffset: utcOffset,
            processID: processID,
            clock: clock,
            fields: fields,
            timestamp: timestamp
        )
    }

    private static func take<Value>(
        _ key: String,
        of fields: inout JSONObject,
        _ read: (JSONValue) -> Value?
    ) throws(ProtocolError) -> Value? {
        guard let value = fields.removeValue(forKey: key), !value.isNull else { return nil }
        guard let read = read(value) else { throw invalid("the field '\(key)' of an event is of another type") }
        return read
    }

    private static func invalid(_ rule: String) -> ProtocolError { ProtocolError(.invalidEvent, rule) }
}
