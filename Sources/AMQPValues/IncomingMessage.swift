/// A message that the broker delivered, or that `basic.get` or `basic.return` brought.
public struct IncomingMessage: Sendable, Hashable {
    /// Number of the delivery on its channel; 0 for a returned message.
    public var deliveryTag: UInt64
    /// Whether the broker delivered the message before.
    public var redelivered: Bool
    /// Exchange that it was published to.
    public var exchange: String
    /// Routing key that it was published with.
    public var routingKey: String
    /// Tag of the consumer; nil for `basic.get` and `basic.return`.
    public var consumerTag: String?
    /// The message's properties.
    public var properties: BasicProperties
    /// The message's body.
    public var body: [UInt8]

    /// Makes a message.
    public init(
        deliveryTag: UInt64,
        redelivered: Bool = false,
        exchange: String = "",
        routingKey: String,
        consumerTag: String? = nil,
        properties: BasicProperties,
        body: [UInt8]
    ) {
        self.deliveryTag = deliveryTag
        self.redelivered = redelivered
        self.exchange = exchange
        self.routingKey = routingKey
        self.consumerTag = consumerTag
        self.properties = properties
        self.body = body
    }
}
