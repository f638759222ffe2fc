import AMQPValues
import Celery
import DequeModule

/// The messages of a `SidePublisher` and its channel: what waits, what is under way, what is dropped.
struct SideQueue: Sendable {
    /// How much may wait.
    struct Limits: Sendable {
        /// Messages that wait for a channel, or for their turn.
        var messages = 10_000
        /// Bytes of their bodies.
        var bytes = 16 << 20
        /// Messages that are posted and not yet written.
        var window = 256
    }

    struct Item: Sendable {
        let message: OutgoingMessage
        /// How many events the message holds.
        let events: Int
        var tries = 0
    }

    /// How often a message is posted whose channel ended before it was written.
    private static let mostTries = 3
    /// How long the log keeps still after a line about what was dropped.
    private static let silence = Duration.seconds(60)

    let limits: Limits
    var exchanges: [ExchangeDeclaration] = []
    private(set) var channel: (any BrokerChannel)?
    private var generation = 0
    private var waiting = Deque<Item>()
    private var waitingBytes = 0
    /// Messages that come in front of those that wait: they were posted and not written.
    private var returned: [Item] = []
    private var unwritten = 0
    private var isPumping = false
    private var isPaused = false
    private var isClosed = false
    private var idle: Gate<Bool>?
    private var unreported = 0
    private var nextReport: ContinuousClock.Instant?

    init(limits: Limits) {
        self.limits = limits
    }

    var unfinishedCount: Int { waiting.count + returned.count + unwritten }

    /// Lines a message up; answers whether the caller has to post what waits, and how many events were dropped.
    mutating func append(_ item: Item) -> (mustPump: Bool, dropped: Int) {
        guard !isClosed else { return (false, item.events) }
        waiting.append(item)
        waitingBytes += item.message.body.count
        return (startPumping(), trim())
    }

    /// The next message to post; nil ends the caller's turn.
    mutating func next() -> (any BrokerChannel, Item, Int)? {
        guard let channel, canPost, let item = waiting.popFirst() else {
            isPumping = false
            return nil
        }
        waitingBytes -= item.message.body.count
        unwritten += 1
        return (channel, item, generation)
    }

    /// A message was written, or never will be; answers whether the caller has to post what waits.
    mutating func written() -> Bool {
        unwritten -= 1
        openIfIdle()
        return startPumping()
    }

    /// A message's channel has ended before it was written: it is posted again on the next one.
    ///
    /// Answers whether the caller has to post what waits, and how many events were dropped.
    mutating func failed(_ item: Item, _ generation: Int) -> (mustPump: Bool, dropped: Int) {
        unwritten -= 1
        retire(generation)
        guard !isClosed, item.tries + 1 < Self.mostTries else {
            openIfIdle()
            return (startPumping(), item.events)
        }
        giveBack(item)
        // The next channel may be there already.
        if channel != nil { takeBack() }
        return (startPumping(), trim())
    }

    /// The connection has no room for a message now; answers whether the caller has to `resume` later.
    mutating func pause(_ item: Item) -> Bool {
        unwritten -= 1
        guard !isClosed else { return false }
        returned.append(item)
        defer { isPaused = true }
        return !isPaused
    }

    /// Goes on after a pause; answers whether the caller has to post what waits.
    mutating func resume() -> Bool {
        isPaused = false
        takeBack()
        return startPumping()
    }

    /// Takes a channel into use; answers its number, and whether the caller has to post what waits.
    mutating func attach(_ channel: any BrokerChannel) -> (generation: Int, mustPump: Bool) {
        generation += 1
        self.channel = isClosed ? nil : channel
        takeBack()
        return (generation, startPumping())
    }

    /// Takes a channel out of use.
    mutating func retire(_ generation: Int) {
        guard generation == self.generation, channel != nil else { return }
        channel = nil
        idle?.open(false)
        idle = nil
    }

    /// Opens with true when nothing is left, with false when the channel is lost; nil where there is none.
    mutating func idleGate() -> Gate<Bool>? {
        guard channel != nil else { return nil }
        let gate = idle ?? Gate<Bool>()
        idle = gate
        openIfIdle()
        return gate
    }

    /// Drops everything; answers how many events that were.
    mutating func close() -> Int {
        isClosed = true
        channel = nil
        idle?.open(false)
        idle = nil
        let dropped = waiting.reduce(0) { $0 + $1.events } + returned.reduce(0) { $0 + $1.events }
        waiting = []
        returned = []
        waitingBytes = 0
        return dropped
    }

    /// Counts what was dropped; answers how much a line in the log should tell of, nil for no line now.
    mutating func noteDropped(_ count: Int, now: ContinuousClock.Instant) -> Int? {
        unreported += count
        if let nextReport, now < nextReport { return nil }
        nextReport = now + Self.silence
        defer { unreported = 0 }
        return unreported
    }
}

extension SideQueue {
    private var canPost: Bool { !isPaused && unwritten < limits.window }

    private mutating func startPumping() -> Bool {
        guard !isPumping, channel != nil, canPost, !waiting.isEmpty else { return false }
        isPumping = true
        return true
    }

    private mutating func giveBack(_ item: Item) {
        var item = item
        item.tries += 1
        returned.append(item)
    }

    /// Puts what was given back in front, in its order.
    private mutating func takeBack() {
        for item in returned.reversed() {
            waiting.prepend(item)
            waitingBytes += item.message.body.count
        }
        returned = []
    }

    /// Drops the oldest of what is too much.
    private mutating func trim() -> Int {
        var dropped = 0
        while waiting.count + returned.count > limits.messages || waitingBytes > limits.bytes {
            if let item = returned.first, waiting.count + returned.count > limits.messages {
                returned.removeFirst()
                dropped += item.events
                continue
            }
            guard let item = waiting.popFirst() else { break }
            waitingBytes -= item.message.body.count
            dropped += item.events
        }
        return dropped
    }

    private mutating func openIfIdle() {
        guard waiting.isEmpty, returned.isEmpty, unwritten == 0 else { return }
        idle?.open(true)
        idle = nil
    }
}
