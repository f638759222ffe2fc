public import AMQPValues

/// A whole task message: properties, headers and body.
public struct TaskMessage: Sendable, Hashable {
    /// The headers.
    public var headers: TaskHeaders
    /// The body.
    public var body: TaskBody
    /// The properties besides the header table, which ``headers`` stands for: its place here stays nil.
    public var properties: BasicProperties {
        didSet { properties.headers = nil }
    }

    /// Makes a message of whatever properties are given.
    public init(headers: TaskHeaders, body: TaskBody, properties: BasicProperties) {
        self.headers = headers
        self.body = body
        self.properties = properties
        self.properties.headers = nil
    }

    /// Makes a message with the properties that Celery gives to every task: JSON in UTF-8, and the task's id as
    /// correlation id.
    ///
    /// - Parameters:
    ///   - headers: the headers.
    ///   - body: the body.
    ///   - replyTo: name of the queue for results; nil where nobody waits.
    ///   - priority: 0 as kombu fills in, or nil to leave the property out.
    ///   - deliveryMode: 2 persistent, 1 transient.
    ///   - expiration: time to live in milliseconds, as text.
    public init(
        headers: TaskHeaders,
        body: TaskBody,
        replyTo: String? = nil,
        priority: UInt8? = 0,
        deliveryMode: UInt8? = 2,
        expiration: String? = nil
    ) {
        var properties = BasicProperties()
        properties.contentType = JSONFormat.contentType
        properties.contentEncoding = JSONFormat.contentEncoding
        properties.deliveryMode = deliveryMode
        properties.priority = priority
        properties.correlationID = headers.id
        properties.replyTo = replyTo
        properties.expiration = expiration
        self.init(headers: headers, body: body, properties: properties)
    }
}

extension TaskMessage {
    /// The property that results carry back; Celery uses the task's id.
    public var correlationID: String? {
        get { properties.correlationID }
        set { properties.correlationID = newValue }
    }

    /// Name of the queue for results.
    public var replyTo: String? {
        get { properties.replyTo }
        set { properties.replyTo = newValue }
    }

    /// 0 to 255; absent counts as 0.
    public var priority: UInt8? {
        get { properties.priority }
        set { properties.priority = newValue }
    }

    /// 1 transient, 2 persistent.
    public var deliveryMode: UInt8? {
        get { properties.deliveryMode }
        set { properties.deliveryMode = newValue }
    }

    /// Time to live in milliseconds, as text.
    public var expiration: String? {
        get { properties.expiration }
        set { properties.expiration = newValue }
    }
}

extension TaskMessage {
    /// Writes the message in protocol 2, with the body in JSON.
    public func encoded() -> (properties: BasicProperties, body: [UInt8]) {
        var properties = properties
        properties.headers = headers.encoded()
        return (properties, body.encoded())
    }

    /// Reads a message of any of the protocols at once.
    ///
    /// A worker reads it in two steps: ``ReceivedTask``.
    ///
    /// - Parameters:
    ///   - properties: the message's properties with its header table.
    ///   - body: the message's body.
    ///   - accept: the content types that are read.
    ///   - limits: how large and how deep a body may be.
    /// - Throws: ``ProtocolError`` of ``ReceivedTask/recognise(_:body:accept:limits:)`` and of ``TaskEnvelope/decodedBody()``.
    public static func decode(
        properties: BasicProperties,
        body: [UInt8],
        accept: AcceptedContent = .json,
        limits: JSONLimits = JSONLimits()
    ) throws(ProtocolError) -> TaskMessage {
        let envelope = try ReceivedTask.recognise(properties, body: body, accept: accept, limits: limits)
        return try envelope.message()
    }
}
