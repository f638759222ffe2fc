public import AMQPValues

/// The first step of reading a delivery: which protocol, and the headers.
///
/// Source: `celery.worker.consumer.Consumer.create_task_handler` and `celery.worker.strategy`. Where Celery's workers die of
/// a message, this throws.
public enum ReceivedTask {
    /// Recognises a task message.
    ///
    /// 1. With a header `task` it is protocol 2, and the body stays unread, unless it is a map: one with the key `args` is
    ///    a hybrid, whose entries the headers override.
    /// 2. Without, the body is read; a map with the key `task` is protocol 1.
    /// 3. Anything else is no task message.
    ///
    /// - Parameters:
    ///   - properties: the delivery's properties with its header table.
    ///   - body: the delivery's body.
    ///   - accept: the content types that are read.
    ///   - limits: how large and how deep a body may be.
    /// - Throws: ``ProtocolError``: what is wrong with the content type, the body's size or the headers; for a body that is
    ///   read now, what is wrong with it; ``ProtocolError/Code/unknownMessage`` in the third case.
    public static func recognise(
        _ properties: BasicProperties,
        body: [UInt8],
        accept: AcceptedContent = .json,
        limits: JSONLimits = JSONLimits()
    ) throws(ProtocolError) -> TaskEnvelope {
        let table = properties.headers ?? FieldTable()
        try ContentFormats.check(
            contentType: properties.contentType,
            bodySize: body.count,
            accept: accept,
            limits: limits
        )
        guard hasTaskName(table) else {
            return try recogniseVersion1(properties, table: table, body: body, limits: limits)
        }
        if startsMap(body) { return try recogniseHybrid(properties, table: table, body: body, limits: limits) }
        let headers = try TaskHeaders(decoding: table)
        try checkCompression(headers.compression)
        return TaskEnvelope(
            headers: headers,
            properties: properties,
            form: .version2,
            content: .encoded(body, limits: limits)
        )
    }

    /// What the headers tell of a task's name and id where the message as a whole cannot be read, for a report of that.
    public static func identity(of properties: BasicProperties) -> (task: String?, id: String?) {
        let headers = properties.headers ?? FieldTable()
        return (headers["task"]?.stringValue, headers["id"]?.stringValue ?? properties.correlationID)
    }
}

extension ReceivedTask {
    private static func recogniseVersion1(
        _ properties: BasicProperties,
        table: FieldTable,
        body: [UInt8],
        limits: JSONLimits
    ) throws(ProtocolError) -> TaskEnvelope {
        try checkCompression(table)
        let json = try decode(properties, body: body, limits: limits)
        guard case .object(let entries) = json, entries["task"] != nil else {
            throw ProtocolError(.unknownMessage, "neither the headers nor the body name a task")
        }
        return try Version1Body(version1: entries, properties: properties, headers: table).envelope(of: properties)
    }

    private static func recogniseHybrid(
        _ properties: BasicProperties,
        table: FieldTable,
        body: [UInt8],
        limits: JSONLimits
    ) throws(ProtocolError) -> TaskEnvelope {
        try checkCompression(table)
        let json = try decode(properties, body: body, limits: limits)
        guard case .object(let entries) = json, entries["args"] != nil else {
            throw ProtocolError(.notATriple, "the body has to be a list of args, kwargs and embed")
        }
        return try Version1Body(hybrid: entries, headers: table).envelope(of: properties)
    }

    private static func decode(
        _ properties: BasicProperties,
        body: [UInt8],
        limits: JSONLimits
    ) throws(ProtocolError) -> JSONValue {
        try ContentFormats.decode(body, contentType: properties.contentType ?? "", limits: limits)
    }

    /// `task` is the second header that Celery writes: the search ends there.
    private static func hasTaskName(_ table: FieldTable) -> Bool {
        table.fields.contains { TaskHeaderName($0.name) == .task }
    }

    /// Whether the text starts as a map: only such a body can be a hybrid.
    ///
    /// In a list, which Celery would take for one if it holds the text `args`, that text would stand in the place of a
    /// list or a map, and be refused there.
    private static func startsMap(_ body: [UInt8]) -> Bool {
        let first = body.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
        return first == UInt8(ascii: "{")
    }

    private static func checkCompression(_ table: FieldTable) throws(ProtocolError) {
        guard let field = table[TaskHeaderName.compression.wireName], field != .void else { return }
        try checkCompression(field.stringValue ?? "")
    }

    private static func checkCompression(_ method: String?) throws(ProtocolError) {
        guard let method else { return }
        throw ProtocolError(
            .unsupportedCompression,
            "the body's compression \(method.asPrintableName) is not supported"
        )
    }
}
