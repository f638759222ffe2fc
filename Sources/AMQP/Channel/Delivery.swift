/// A message that has to be settled: acked, or rejected, once.
///
/// One that is dropped goes back to its queue.
public struct Delivery: ~Copyable, Sendable {
    /// The message.
    public let message: IncomingMessage
    private let channel: AMQPChannel
    private var isSettled: Bool

    init(message: IncomingMessage, channel: AMQPChannel, noAck: Bool) {
        self.message = message
        self.channel = channel
        isSettled = noAck
    }

    deinit {
        if !isSettled { channel.settle(message.deliveryTag, .reject(requeue: true)) }
    }

    /// The message is done with.
    public consuming func ack() {
        settle(.ack)
    }

    /// The message goes back to its queue, or to the queue's dead-letter exchange.
    public consuming func reject(requeue: Bool) {
        settle(.reject(requeue: requeue))
    }

    /// As `reject`, by RabbitMQ's own method, which newer quorum queues do not count as a failed delivery.
    public consuming func nack(requeue: Bool) {
        settle(.nack(requeue: requeue))
    }

    private mutating func settle(_ settlement: Settlement) {
        if !isSettled { channel.settle(message.deliveryTag, settlement) }
        isSettled = true
    }
}
