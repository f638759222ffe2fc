import AMQP
import Celery
import Logging
import Synchronization

/// Gets what a consumer that is none of tasks delivers, with the channel to settle it on.
///
/// Called where the connection reads: it has to be quick.
typealias ConsumerHandler = @Sendable (_ event: ConsumerEvent, _ source: ConsumerSource) -> Void

/// The channel that a consumer's event comes from.
struct ConsumerSource: Sendable {
    /// Which channel of the worker it is.
    let epoch: ChannelEpoch
    let channel: any BrokerChannel
}

/// The consuming channel of one queue: its consumer, the replacement of it, and its end.
final class QueueConsumer: Sendable {
    private struct State {
        var tags: Set<String> = []
        var lastTag = 0
        var isStopped = false
        var credit: Int
        /// The credit that the channel's next consumer gets; nil while the broker was not told of any.
        var announcedCredit: Int?
        var gauge: ConsumerGauge?
        var isReplacing = false
        var replacesAgain = false
    }

    /// Where deliveries go.
    enum Sink: Sendable {
        /// To the dispatcher of tasks.
        case intake(Intake)
        /// To a handler.
        case handler(ConsumerHandler)
    }

    let desired: DesiredConsumer
    let epoch: ChannelEpoch
    private let channel: any BrokerChannel
    private let sink: Sink
    private let ledger: DeliveryLedger
    private let deliveries: WorkerCounters.Counter
    private let logger: Logger
    private let state: Mutex<State>
    /// Opens when the channel is gone or the broker has cancelled the consumer.
    let ended = Gate<ConsumerEnd>()

    /// Why a consumer has ended.
    enum ConsumerEnd: Sendable {
        /// The channel was closed; by this side where there is no error.
        case closed(AMQPError?)
        /// The broker has cancelled the consumer: the queue was deleted, or its node is gone.
        case cancelled

        /// Whether the channel is gone, and its deliveries with it.
        var isLoss: Bool { if case .closed = self { true } else { false } }

        /// The end as a handler is told of it.
        fileprivate var event: ConsumerEvent {
            switch self {
            case .closed(let error): .closed(error)
            case .cancelled: .cancelled
            }
        }
    }

    init(
        _ desired: DesiredConsumer,
        channel: any BrokerChannel,
        sink: Sink,
        ledger: DeliveryLedger,
        deliveries: WorkerCounters.Counter,
        logger: Logger
    ) {
        self.desired = desired
        self.channel = channel
        self.sink = sink
        self.ledger = ledger
        self.deliveries = deliveries
        self.logger = logger
        state = Mutex(State(credit: desired.credit))
        epoch = ledger.open(channel)
    }

    /// Whether the channel is gone or the broker has cancelled the consumer.
    var hasEnded: Bool { ended.value != nil }
    /// The queue.
    var queue: Queue { desired.queue }
    /// The prefetch count of the consumer of the moment.
    var prefetch: Int { state.withLock { $0.credit } }

    /// The tag of the first consumer.
    var firstTag: String { tag(1) }

    private func tag(_ number: Int) -> String { "\(desired.tagPrefix)\(number)" }

    /// Tells the dispatcher of a consumer with fresh credit.
    func announce(_ tag: String) { post(.started(self, tag: tag)) }

    /// Starts a consumer beside those that run, and answers its tag.
    func start() async throws(AMQPError) -> String {
        let gauge = ConsumerGauge(adding: deliveries)
        let (tag, credit) = state.withLock { state -> (String, Int?) in
            state.lastTag += 1
            let tag = self.tag(state.lastTag)
            // Entered before the broker knows it: a request that is given up here may still reach the broker.
            state.tags.insert(tag)
            let isKnown = state.announcedCredit == state.credit
            state.announcedCredit = state.credit
            return (tag, isKnown ? nil : state.credit)
        }
        // Counts for each consumer that is started afterwards, never for the whole channel.
        if let credit { try await channel.qos(prefetchCount: credit) }
        let options = ConsumeOptions(
            consumerTag: tag,
            noAck: desired.noAck,
            exclusive: desired.exclusive,
            arguments: desired.arguments
        )
        _ = try await channel.consume(queue.name, options: options) { self.receive($0, gauge) }
        let isStopped = state.withLock { state in
            state.gauge = gauge
            return state.isStopped
        }
        if isStopped { try await cancel(tag) }
        return tag
    }

    /// Starts a consumer with fresh credit and cancels the ones before.
    ///
    /// Their deliveries stay valid.
    func replace() async {
        let begins = state.withLock { state in
            // One replacement at a time: two at once would leave two consumers.
            state.replacesAgain = state.isReplacing
            defer { state.isReplacing = true }
            return !state.isReplacing
        }
        guard begins else { return }
        repeat {
            await replaceOnce()
        } while state.withLock { state in
            state.isReplacing = state.replacesAgain
            state.replacesAgain = false
            return state.isReplacing
        }
    }

    /// Goes on with another prefetch count: that of a new consumer, for it cannot be changed for one that runs.
    func setCredit(_ credit: Int) async {
        state.withLock { $0.credit = credit }
        await replace()
    }

    private func replaceOnce() async {
        let (old, isNewCredit, isStopped) = state.withLock { ($0.tags, $0.announcedCredit != $0.credit, $0.isStopped) }
        // One that is no longer wanted fetches nothing more.
        if isStopped { return post(.replaced(epoch, nil)) }
        do {
            // Beside an exclusive consumer there cannot be another one.
            if desired.exclusive { for tag in old { try await cancel(tag) } }
            let tag = try await start()
            if !desired.exclusive { for tag in old { try await cancel(tag) } }
            if isNewCredit { announce(tag) }
            post(.replaced(epoch, tag))
        } catch {
            logger.warning("consumer could not be replaced", error: error, metadata: ["queue": "\(queue.name)"])
            post(.replaced(epoch, nil))
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

    /// Deliveries of the channel that are not settled.
    var unsettledCount: Int { ledger.unsettledCount(of: epoch, from: 0) }

    /// Whether the broker may deliver another message before one is settled; in doubt it may not.
    var hasCredit: Bool {
        let (gauge, credit) = state.withLock { ($0.gauge, $0.credit) }
        guard !desired.noAck, credit > 0, let first = gauge?.firstTag else { return true }
        // Deliveries of consumers that were replaced do not count.
        return ledger.unsettledCount(of: epoch, from: first) < credit
    }

    private func cancel(_ tag: String) async throws(AMQPError) {
        try await channel.cancel(tag)
        state.withLock { _ = $0.tags.remove(tag) }
    }

    /// Runs where the connection reads.
    private func receive(_ event: ConsumerEvent, _ gauge: ConsumerGauge) {
        switch event {
        case .deliveries(let messages):
            if let first = messages.first { gauge.add(messages.count, firstTag: first.deliveryTag) }
            switch sink {
            case .intake(let intake): intake.post(.deliveries(epoch, messages))
            case .handler(let handler): handler(event, ConsumerSource(epoch: epoch, channel: channel))
            }
        case .cancelled: end(.cancelled)
        case .closed(let error): end(.closed(error))
        }
    }

    private func end(_ reason: ConsumerEnd) {
        ledger.close(epoch)
        post(.ended(epoch, isLost: reason.isLoss))
        if case .handler(let handler) = sink, !hasEnded {
            handler(reason.event, ConsumerSource(epoch: epoch, channel: channel))
        }
        ended.open(reason)
    }

    private func post(_ event: IntakeEvent) {
        if case .intake(let intake) = sink { intake.post(event) }
    }
}
