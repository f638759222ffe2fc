public import AMQPValues

/// A task message whose headers are read and whose body waits: what a worker keeps of a delivery until a slot is free.
///
/// It goes from hand to hand inside a worker, so it is shared and not copied; nothing in it changes.
public final class TaskEnvelope: Sendable {
    /// The headers; of a message of protocol 1, what its body says in their place.
    public let headers: TaskHeaders
    /// The properties without the header table.
    public let properties: BasicProperties
    /// The form that the message came in.
    public let form: TaskProtocol
    /// Protocol 1's `utc`, true in all other forms; where false, a time without offset is in the application's timezone.
    public let utc: Bool
    private let content: Content

    enum Content: Sendable {
        case encoded([UInt8], limits: JSONLimits)
        case decoded(TaskBody)
    }

    init(headers: TaskHeaders, properties: BasicProperties, form: TaskProtocol, utc: Bool = true, content: Content) {
        var properties = properties
        properties.headers = nil
        self.headers = headers
        self.properties = properties
        self.form = form
        self.utc = utc
        self.content = content
    }

    /// The body, read now unless recognising the message has read it.
    ///
    /// The outcome is not kept: ask once.
    ///
    /// - Throws: ``ProtocolError`` of ``TaskBody/init(decoding:limits:)``.
    public func decodedBody() throws(ProtocolError) -> TaskBody {
        switch content {
        case .decoded(let body):
            return body
        case .encoded(let bytes, let limits):
            let json = try ContentFormats.decode(bytes, contentType: properties.contentType ?? "", limits: limits)
            return try TaskBody(decoding: json)
        }
    }

    /// The body as it came; nil where recognising the message has read it.
    package var encodedBody: [UInt8]? {
        guard case .encoded(let bytes, _) = content else { return nil }
        return bytes
    }

    /// The whole message, with the body read.
    ///
    /// - Throws: ``ProtocolError`` of ``decodedBody()``.
    public func message() throws(ProtocolError) -> TaskMessage {
        TaskMessage(headers: headers, body: try decodedBody(), properties: properties)
    }
}
