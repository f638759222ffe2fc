import AMQP
import AMQPValues
import Celery
import Logging
import Synchronization

/// Publishes what may get lost: events, and what goes to and fro in remote control.
///
/// Posting never blocks. The messages go out in their order on a channel without confirms of its own, so that whatever the
/// broker refuses of them ends this channel only. Without a channel, and while the broker takes nothing, a bounded number of
/// messages waits; beyond it the oldest are dropped, and counted.
final class SidePublisher: Sendable {
    private let counters: WorkerCounters
    private let logger: Logger
    private let state: Mutex<SideQueue>
    private let whenConnected = Mutex<[@Sendable () -> Void]>([])

    /// How long messages wait that found the connection's buffer full.
    private static let bufferPause = Duration.milliseconds(100)
    /// A channel that has lived for so long was a good one.
    private static let goodLife = Duration.seconds(10)

    /// Makes a publisher without a channel.
    init(counters: WorkerCounters, logger: Logger, limits: SideQueue.Limits = SideQueue.Limits()) {
        self.counters = counters
        self.logger = logger
        state = Mutex(SideQueue(limits: limits))
    }

    /// Has an exchange declared on every channel that is opened from now on.
    func declare(_ exchange: ExchangeDeclaration) { state.withLock { $0.exchanges.append(exchange) } }

    /// Calls the closure each time when a new connection can be used; it has to be quick.
    func onConnect(_ body: @escaping @Sendable () -> Void) { whenConnected.withLock { $0.append(body) } }

    /// Whether there is a channel.
    var isConnected: Bool { state.withLock { $0.channel != nil } }

    /// How many messages wait, or are posted and not written.
    var unfinishedCount: Int { state.withLock { $0.unfinishedCount } }

    /// Posts a message; one that no queue takes is lost.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - events: how many events it holds, for the count of what was dropped.
    func post(_ message: OutgoingMessage, events: Int = 1) {
        var message = message
        message.mandatory = false
        let (mustPump, dropped) = state.withLock { $0.append(SideQueue.Item(message: message, events: events)) }
        if dropped > 0 { report(dropped) }
        if mustPump { pump() }
    }

    /// Waits until everything is written; false if that takes longer than the limit, or there is no channel.
    func waitUntilIdle(limit: Duration) async -> Bool {
        let gate = state.withLock { $0.idleGate() }
        guard let gate else { return false }
        return await gate.wait(limit: limit) ?? false
    }

    /// Drops what waits, and whatever is posted from now on.
    func close() {
        let dropped = state.withLock { $0.close() }
        if dropped > 0 { report(dropped) }
    }

    // MARK: Posting

    /// Posts what waits, in order: only one thread at a time does.
    private func pump() {
        while let (channel, item, generation) = state.withLock({ $0.next() }) {
            channel.publish(item.message) { self.written(item, $0, generation) }
        }
    }

    private func written(_ item: SideQueue.Item, _ result: Result<Void, AMQPError>, _ generation: Int) {
        guard case .failure(let error) = result else {
            if state.withLock({ $0.written() }) { pump() }
            return
        }
        switch error.code {
        case .bufferFull:
            let isFirst = state.withLock { $0.pause(item) }
            guard isFirst else { return }
            Alarm.after(Self.bufferPause) { if self.state.withLock({ $0.resume() }) { self.pump() } }
        case _ where error.isRecoverable || error.code == .channelClosed:
            let (mustPump, dropped) = state.withLock { $0.failed(item, generation) }
            if dropped > 0 { report(dropped) }
            if mustPump { pump() }
        default:
            // The message itself cannot be written.
            logger.debug("an event or a reply cannot be sent", error: error)
            if state.withLock({ $0.written() }) { pump() }
            report(item.events)
        }
    }

    private func report(_ dropped: Int) {
        counters.droppedEvents.add(dropped)
        guard let count = state.withLock({ $0.noteDropped(dropped, now: .now) }) else { return }
        logger.warning(
            "Events, or replies to remote control, are dropped: the broker does not take them",
            metadata: ["dropped": "\(count)"]
        )
    }
}

// MARK: - Channels

extension SidePublisher {
    /// Serves one channel after the other on a connection, until the task is cancelled.
    ///
    /// It does not end with the connection: whoever watches that has to cancel it.
    func serve(_ connection: any BrokerConnection, executor: any TaskExecutor) async {
        var backoff = Backoff(first: 0.1, cap: 10)
        var refused: Set<String> = []
        var isFirst = true
        while !Task.isCancelled {
            let start = ContinuousClock.now
            do throws(AMQPError) {
                let channel = try await connection.openChannel()
                try await declareExchanges(on: channel, except: &refused)
                await serve(channel, isFirst: isFirst, executor: executor)
                isFirst = false
            } catch {
                if !Task.isCancelled { logger.debug("no channel for events", error: error) }
            }
            if start.duration(to: .now) > Self.goodLife { backoff.reset() }
            if !Task.isCancelled { await Alarm.sleep(backoff.next()) }
        }
    }

    /// Declares the exchanges; one that is refused is taken as it is from now on, on the next channel.
    private func declareExchanges(
        on channel: any BrokerChannel,
        except refused: inout Set<String>
    ) async throws(AMQPError) {
        for exchange in state.withLock({ $0.exchanges }) where !refused.contains(exchange.name) {
            do throws(AMQPError) {
                try await channel.declareExchange(exchange)
            } catch {
                if error.replyCode != nil {
                    refused.insert(exchange.name)
                    logger.warning(
                        "An exchange of events or replies cannot be declared",
                        error: error,
                        metadata: ["exchange": "\(exchange.name)"]
                    )
                }
                throw error
            }
        }
    }

    private func serve(_ channel: any BrokerChannel, isFirst: Bool, executor: any TaskExecutor) async {
        let ended = Gate<AMQPError?>()
        Task(executorPreference: executor) { ended.open(await channel.waitUntilClosed()) }
        let (generation, mustPump) = state.withLock { $0.attach(channel) }
        if mustPump { pump() }
        if isFirst { for body in whenConnected.withLock({ $0 }) { body() } }
        let end = await ended.waitUnlessCancelled()
        state.withLock { $0.retire(generation) }
        guard let end = end ?? nil else { return }
        logger.warning("The channel of events and replies has ended", error: end)
    }
}
