internal import AMQP
internal import OrderedCollections

/// A channel of the broker in memory.
struct MemoryChannelState {
    /// A delivery that was not settled yet.
    struct Unacked {
        var queue: String
        var message: MemoryMessage
        var consumerTag: String?
    }

    /// A consumer.
    struct Consumer {
        var queue: String
        var noAck: Bool
        var isExclusive: Bool
        var prefetchCount: Int
        var unackedCount = 0
        var onEvent: @Sendable (ConsumerEvent) -> Void

        /// Whether it may get a further message.
        var hasCredit: Bool { noAck || prefetchCount == 0 || unackedCount < prefetchCount }
    }

    let connection: Int
    let confirms: Bool
    var prefetchCount = 0
    var lastDeliveryTag: UInt64 = 0
    var unacked: OrderedDictionary<UInt64, Unacked> = [:]
    var consumers: OrderedDictionary<String, Consumer> = [:]
    /// Confirms that a test holds back.
    var heldConfirms: [(outcome: Result<Void, AMQPError>, completion: @Sendable (Result<Void, AMQPError>) -> Void)] = []

    mutating func nextDeliveryTag() -> UInt64 {
        lastDeliveryTag += 1
        return lastDeliveryTag
    }
}
