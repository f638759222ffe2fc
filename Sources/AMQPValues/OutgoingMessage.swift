/// A message to publish.
public struct OutgoingMessage: Sendable, Hashable {
    /// Exchange to publish to; empty for the default one.
    public var exchange: String
    /// Routing key; with the default exchange the queue's name.
    public var routingKey: String
    /// Whether the broker has to return a message that no queue takes.
    public var mandatory: Bool
    /// The message's properties.
    public var properties: BasicProperties
    /// The message's body.
    public var body: [UInt8]

    /// Makes a message.
    public init(
        exchange: String = "",
        routingKey: String,
        mandatory: Bool = true,
        properties: BasicProperties = BasicProperties(),
        body: [UInt8]
    ) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.mandatory = mandatory
        self.properties = properties
        self.body = body
    }
}
