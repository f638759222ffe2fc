import AMQP
import Celery
import Logging
import Synchronization

/// The consuming channel of one queue: its consumer, the replacement of it, and its end.
final class QueueConsumer: Sendable {
    private struct State {
        var tags: Set<String> = []
        var lastTag = 0
        var isStopped = false
    }

    let queue: Queue
    let epoch: ChannelEpoch
    let prefetch: Int
    private let channel: any BrokerChannel
    private let intake: Intake
    private let ledger: DeliveryLedger
    private let logger: Logger
    private let state = Mutex(State())
    /// Opens when the channel is gone or the broker has cancelled the consumer.
    let ended = Gate<ConsumerEnd>()

    /// Why a consumer has ended.
    enum ConsumerEnd: Sendable {
        /// The channel was closed; by this side where there is no error.
        case closed(AMQPError?)
        /// The broker has cancelled the consumer: the queue was deleted, or its node is gone.
        case cancelled
    }

    init(
        queue: Queue,
        channel: any BrokerChannel,
        prefetch: Int,
        intake: Intake,
        ledger: DeliveryLedger,
        logger: Logger
    ) {
        self.queue = queue
        self.channel = channel
        self.prefetch = prefetch
        self.intake = intake
        self.ledger = ledger
        self.logger = logger
        epoch = ledger.open(channel)
    }

    /// The tag of the first consumer.
    static let firstTag = tag(1)

    private static func tag(_ number: Int) -> String { "w\(number)" }

    /// Starts a consumer beside those that run, and answers its tag.
    func start() async throws(AMQPError) -> String {
        let tag = state.withLock { state in
            state.lastTag += 1
            let tag = Self.tag(state.lastTag)
            // Entered before the broker knows it: a request that is given up here may still reach the broker.
            state.tags.insert(tag)
            return tag
        }
        let options = ConsumeOptions(consumerTag: tag, arguments: queue.consumerArguments)
        _ = try await channel.consume(queue.name, options: options) { self.receive($0) }
        if state.withLock({ $0.isStopped }) { try await cancel(tag) }
        return tag
    }

    /// Starts a consumer with fresh credit and cancels the ones before.
    ///
    /// Their deliveries stay valid.
    func replace() async {
        let old = state.withLock { $0.tags }
        do {
            let tag = try await start()
            for tag in old { try await cancel(tag) }
            intake.post(.replaced(epoch, tag))
        } catch {
            logger.warning("consumer could not be replaced", error: error, metadata: ["queue": "\(queue.name)"])
            intake.post(.replaced(epoch, nil))
        }
    }

    /// Cancels the consumers, so that nothing is delivered any more; what was delivered stays valid.
    func stop() async {
        let tags = state.withLock { state in
            state.isStopped = true
            return state.tags
        }
        for tag in tags {
            do {
                try await cancel(tag)
            } catch {
                // A channel that is gone delivers nothing either.
                logger.debug("consumer could not be cancelled", error: error, metadata: ["queue": "\(queue.name)"])
            }
        }
    }

    /// Closes the channel; the broker takes back what is unsettled.
    func close() async {
        end(.closed(nil))
        await channel.close()
    }

    private func cancel(_ tag: String) async throws(AMQPError) {
        try await channel.cancel(tag)
        state.withLock { _ = $0.tags.remove(tag) }
    }

    /// Runs where the connection reads.
    private func receive(_ event: ConsumerEvent) {
        switch event {
        case .deliveries(let messages): intake.post(.deliveries(epoch, messages))
        case .cancelled: end(.cancelled)
        case .closed(let error): end(.closed(error))
        }
    }

    private func end(_ reason: ConsumerEnd) {
        ledger.close(epoch)
        intake.post(.ended(epoch))
        ended.open(reason)
    }
}
