internal import AMQP
internal import CeleryProtocol
public import Logging
internal import Synchronization

/// The events of a fleet, as they come in.
///
/// ```swift
/// let receiver = try EventReceiver(configuration: configuration, logger: logger)
/// for try await event in receiver where event.type == "task-failed" {
///     print(event.taskID ?? "-", event.fields["exception"] ?? .null)
/// }
/// ```
/// Every loop over it is a receiver of its own, with a connection and a queue of its own that end with the loop. It asks all
/// workers for a heartbeat at its start, and connects anew when the connection is lost: what is sent meanwhile is not seen.
/// A loop that lags misses the oldest events, which are counted. Source: `celery.events.receiver`.
public final class EventReceiver: AsyncSequence, Sendable {
    /// An event.
    public typealias Element = ClusterEvent
    /// ``CeleryError`` where no further event will come: the broker refuses, or cannot be reached and shall not be tried
    /// again (`broker_connection_retry_on_startup`, `broker_connection_max_retries`).
    public typealias Failure = any Error

    /// How a receiver stands with its broker.
    public enum Status: Sendable {
        /// Events are consumed.
        case connected
        /// The connection was lost, or could not be made; it is tried again after a wait.
        case disconnected(CeleryError)
    }

    /// What a receiver could not hand on.
    public struct Counters: Sendable, Hashable {
        /// Messages, or parts of them, that are no events.
        public var malformed = 0
        /// Messages that were dropped because the reader lagged.
        public var dropped = 0
    }

    let broker: any Broker
    let configuration: CeleryConfiguration
    let routingKey: String
    let bufferSize: Int
    let logger: Logger
    let onStatus: @Sendable (Status) -> Void
    private let state = Mutex(Counters())

    /// Makes a receiver; a loop over it connects.
    ///
    /// - Parameters:
    ///   - configuration: the settings `broker_…` and `event_…`.
    ///   - routingKey: a topic pattern. Workers send the events of tasks in batches under `task.multi`, so that
    ///     `task.failed` matches none of them.
    ///   - bufferSize: messages that may wait for a loop that lags.
    ///   - logger: where connections log to.
    ///   - onStatus: told when events are consumed, and when they are not.
    /// - Throws: ``CeleryError/Code/invalidConfiguration``.
    public convenience init(
        configuration: CeleryConfiguration = CeleryConfiguration(),
        routingKey: String = "#",
        bufferSize: Int = 10_000,
        logger: Logger,
        onStatus: @escaping @Sendable (Status) -> Void = { _ in }
    ) throws(CeleryError) {
        let name = "swcelery events \(ProcessIdentity.origin)"
        try self.init(
            broker: try AMQPBroker(configuration: configuration, connectionName: name, logger: logger),
            configuration: configuration,
            routingKey: routingKey,
            bufferSize: bufferSize,
            logger: logger,
            onStatus: onStatus
        )
    }

    /// Makes a receiver of any broker.
    package init(
        broker: any Broker,
        configuration: CeleryConfiguration = CeleryConfiguration(),
        routingKey: String = "#",
        bufferSize: Int = 10_000,
        logger: Logger,
        onStatus: @escaping @Sendable (Status) -> Void = { _ in }
    ) throws(CeleryError) {
        guard !(configuration.eventQueueDurable && configuration.eventQueueExclusive) else {
            throw CeleryError(
                .invalidConfiguration,
                "event_queue_durable and event_queue_exclusive cannot both be true"
            )
        }
        self.broker = broker
        self.configuration = configuration
        self.routingKey = routingKey
        self.bufferSize = Swift.max(bufferSize, 1)
        self.logger = logger
        self.onStatus = onStatus
    }

    /// What could not be handed on so far, in all loops.
    public var counters: Counters { state.withLock { $0 } }

    func note(malformed: Int, dropped: Int) {
        let (before, after) = state.withLock { counters in
            let before = counters
            counters.malformed += malformed
            counters.dropped += dropped
            return (before, counters)
        }
        // One line each time that a number doubles: a stranger must not fill the log.
        if after.malformed.bitWidthUsed != before.malformed.bitWidthUsed {
            logger.warning("messages that are no events were skipped", metadata: ["count": "\(after.malformed)"])
        }
        if after.dropped.bitWidthUsed != before.dropped.bitWidthUsed {
            logger.warning("events were dropped, as their reader lags", metadata: ["count": "\(after.dropped)"])
        }
    }

    /// Starts to receive.
    public func makeAsyncIterator() -> Iterator {
        Iterator(feed: EventFeed(self))
    }

    /// A loop's own receiver.
    public struct Iterator: AsyncIteratorProtocol {
        private let feed: EventFeed
        private var batch: ArraySlice<JSONValue> = []

        init(feed: EventFeed) {
            self.feed = feed
        }

        /// The next event; nil when the Swift task is cancelled.
        public mutating func next() async throws -> ClusterEvent? {
            while true {
                while let body = batch.popFirst() {
                    if let event = feed.event(body) { return event }
                }
                guard let next = try await feed.nextBatch() else { return nil }
                batch = next
            }
        }
    }
}

extension Int {
    /// How many bits the number takes.
    fileprivate var bitWidthUsed: Int { Int.bitWidth - leadingZeroBitCount }
}
