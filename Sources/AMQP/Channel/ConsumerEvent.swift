/// What happens to a consumer.
public enum ConsumerEvent: Sendable {
    /// Messages that came in together, in the broker's order.
    case deliveries([IncomingMessage])
    /// The broker has cancelled the consumer: its queue was deleted, or its node is down.
    case cancelled
    /// The channel has ended; nil where this side closed it.
    case closed(AMQPError?)
}

/// Told of what happens to a consumer.
///
/// Called on the connection's thread: it must be quick and never block.
public typealias ConsumerEventHandler = @Sendable (ConsumerEvent) -> Void
