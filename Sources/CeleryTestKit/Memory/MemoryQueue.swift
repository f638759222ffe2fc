internal import AMQP
internal import DequeModule

/// A message in a queue of the broker in memory.
struct MemoryMessage: Sendable {
    /// Place among all messages; a message that is handed back returns to it.
    var serial: UInt64
    var message: OutgoingMessage
    var redelivered = false
    var deadline: ContinuousClock.Instant?

    func incoming(_ deliveryTag: UInt64, consumerTag: String?) -> IncomingMessage {
        IncomingMessage(
            deliveryTag: deliveryTag,
            redelivered: redelivered,
            exchange: message.exchange,
            routingKey: message.routingKey,
            consumerTag: consumerTag,
            properties: message.properties,
            body: message.body
        )
    }
}

/// A queue of the broker in memory.
struct MemoryQueue {
    /// A consumer by its channel and tag.
    struct ConsumerID: Hashable {
        var channel: Int
        var tag: String
    }

    var declaration: QueueDeclaration
    /// The connection that alone may use an exclusive queue.
    let owner: Int?
    private(set) var messages: Deque<MemoryMessage> = []
    private(set) var consumers: Deque<ConsumerID> = []
    var unackedCount = 0

    init(_ declaration: QueueDeclaration, owner: Int?) {
        self.declaration = declaration
        self.owner = owner
    }

    /// The highest priority that counts; 0 for a queue without priorities.
    private var maxPriority: Int { declaration.arguments["x-max-priority"]?.intValue ?? 0 }

    /// Whether only the first of the consumers is served, until it leaves (`x-single-active-consumer`).
    private var isSingleActive: Bool { declaration.arguments["x-single-active-consumer"]?.boolValue == true }

    /// The consumers that may get a message, in their turn.
    var candidates: some Sequence<ConsumerID> { isSingleActive ? consumers.prefix(1) : consumers[...] }

    /// The most messages that wait; nil for no bound.
    private var maxLength: Int? { declaration.arguments["x-max-length"]?.intValue }

    /// Whether a further message is refused because the queue is full.
    var refusesMessages: Bool {
        guard let maxLength, declaration.arguments["x-overflow"]?.stringValue == "reject-publish" else { return false }
        return messages.count >= maxLength
    }

    /// Puts a message in its place; answers the message that had to go because the queue is full.
    mutating func insert(_ message: MemoryMessage) -> MemoryMessage? {
        let rank = rank(message)
        var index = messages.endIndex
        while index > messages.startIndex {
            let before = messages[index - 1]
            let isBefore = self.rank(before) != rank ? self.rank(before) > rank : before.serial < message.serial
            if isBefore { break }
            index -= 1
        }
        messages.insert(message, at: index)
        guard let maxLength, messages.count > maxLength else { return nil }
        return messages.popFirst()
    }

    mutating func popFirst() -> MemoryMessage? { messages.popFirst() }

    mutating func removeAll() -> Int {
        defer { messages = [] }
        return messages.count
    }

    mutating func add(_ consumer: ConsumerID) { consumers.append(consumer) }

    /// Removes a consumer; answers whether the queue, being auto-delete, goes with the last one.
    mutating func remove(_ consumer: ConsumerID) -> Bool {
        let before = consumers.count
        consumers.removeAll { $0 == consumer }
        return declaration.autoDelete && consumers.isEmpty && before > 0
    }

    /// Puts the consumer at the end of the line.
    mutating func rotate(_ consumer: ConsumerID) {
        guard !isSingleActive, let index = consumers.firstIndex(of: consumer) else { return }
        consumers.append(consumers.remove(at: index))
    }

    private func rank(_ message: MemoryMessage) -> Int {
        min(Int(message.message.properties.priority ?? 0), maxPriority)
    }
}
