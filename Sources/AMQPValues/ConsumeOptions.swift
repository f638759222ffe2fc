/// How a consumer is started.
public struct ConsumeOptions: Sendable, Hashable {
    /// Tag of the consumer, unique on its channel; empty to have the broker make one.
    public var consumerTag: String
    /// Deliveries need no ack: the broker forgets them when it has sent them.
    public var noAck: Bool
    /// Whether this is the queue's only consumer.
    public var exclusive: Bool
    /// Further arguments, such as `x-priority`.
    public var arguments: FieldTable

    /// Makes options.
    public init(consumerTag: String = "", noAck: Bool = false, exclusive: Bool = false, arguments: FieldTable = [:]) {
        self.consumerTag = consumerTag
        self.noAck = noAck
        self.exclusive = exclusive
        self.arguments = arguments
    }
}
