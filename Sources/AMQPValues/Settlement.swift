/// How a delivery is given back to the broker.
public enum Settlement: Sendable, Hashable {
    /// `basic.ack`: the message is done with.
    case ack
    /// `basic.reject`: the message goes back to the queue, or to the dead-letter exchange.
    case reject(requeue: Bool)
    /// `basic.nack` (RabbitMQ): as `reject`; newer quorum queues do not count it as a failed delivery.
    case nack(requeue: Bool)
}
