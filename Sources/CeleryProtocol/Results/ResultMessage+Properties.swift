public import AMQPValues

extension ResultMessage {
    /// The properties that Celery's `rpc://` backend publishes a result with.
    ///
    /// Source: `celery.backends.rpc.RPCBackend.store_result`.
    ///
    /// - Parameters:
    ///   - correlationID: the request's correlation id; nil stands for the task's id.
    ///   - persistent: whether the result survives a restart of the broker (`result_persistent`).
    public func properties(correlationID: String? = nil, persistent: Bool = false) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = JSONFormat.contentType
        properties.contentEncoding = JSONFormat.contentEncoding
        properties.headers = FieldTable()
        properties.deliveryMode = persistent ? 2 : 1
        properties.priority = 0
        properties.correlationID = correlationID ?? taskID
        return properties
    }

    /// Reads a result as it was delivered, by its content type.
    ///
    /// - Parameters:
    ///   - properties: the message's properties.
    ///   - body: the message's body.
    ///   - accept: the content types that are read (`result_accept_content`).
    ///   - limits: how large and how deep a body may be.
    /// - Throws: ``ProtocolError`` of the content type, of the JSON reader, or ``ProtocolError/Code/invalidResult``.
    public static func decode(
        properties: BasicProperties,
        body: [UInt8],
        accept: AcceptedContent = .json,
        limits: JSONLimits = JSONLimits()
    ) throws(ProtocolError) -> ResultMessage {
        try ContentFormats.check(
            contentType: properties.contentType,
            bodySize: body.count,
            accept: accept,
            limits: limits
        )
        let json = try ContentFormats.decode(body, contentType: properties.contentType ?? "", limits: limits)
        return try ResultMessage(decoding: json, correlationID: properties.correlationID)
    }
}
