/// What the broker tells of a queue when it is declared.
public struct QueueStatus: Sendable, Hashable {
    /// The queue's name.
    public var name: String
    /// Messages that are ready for delivery.
    public var messageCount: Int
    /// Consumers of the queue.
    public var consumerCount: Int

    /// Makes a status.
    public init(name: String, messageCount: Int, consumerCount: Int) {
        self.name = name
        self.messageCount = messageCount
        self.consumerCount = consumerCount
    }
}
