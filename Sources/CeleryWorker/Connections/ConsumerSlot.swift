import AMQP
import Celery
import Logging
import Synchronization

/// One wanted consumer on one connection: subscribed, and subscribed again with growing waits after whatever ends it.
final class ConsumerSlot: Sendable {
    /// What a slot works with.
    struct Environment: Sendable {
        let connection: any BrokerConnection
        let declarer: TopologyDeclarer
        /// The number of the connection.
        let epoch: Int
        let services: ConsumerSupervisor.Environment
        let records: ConsumerRecords
        /// Told of each start of a consumer.
        let started: @Sendable (DesiredConsumer.Name) -> Void
    }

    private enum End: Sendable {
        case ended(QueueConsumer.ConsumerEnd)
        case stopped
    }

    /// A consumer that lasted this long makes the waits start anew.
    private static let stableAfter = Duration.seconds(30)

    private struct State {
        var desired: DesiredConsumer
        var consumer: QueueConsumer?
    }

    private let environment: Environment
    private let handler: ConsumerHandler?
    private let state: Mutex<State>
    /// Opens when the consumer is no longer wanted.
    private let stopped = Gate<Void>()

    init(_ desired: DesiredConsumer, handler: ConsumerHandler?, environment: Environment) {
        self.environment = environment
        self.handler = handler
        state = Mutex(State(desired: desired))
    }

    /// What is wanted.
    var desired: DesiredConsumer { state.withLock { $0.desired } }

    private var logger: Logger { environment.services.logger }
    private var metadata: Logger.Metadata {
        ["queue": "\(desired.queue.name)", "epoch": "\(environment.epoch)"]
    }

    /// Consumes until the slot is stopped or the task is cancelled; the consumer stays as it is in the latter case.
    ///
    /// - Returns: why the worker must not go on; nil otherwise.
    func run() async -> CeleryError? {
        var backoff = Backoff()
        while !Task.isCancelled, !stopped.isOpen {
            do throws(CeleryError) {
                let consumer = try await start()
                let began = ContinuousClock.now
                guard let end = await end(of: consumer) else { return nil }
                guard case .ended(let reason) = end else { break }
                log(reason)
                await consumer.close()
                if .now - began >= Self.stableAfter { backoff.reset() }
            } catch {
                if error.code == .cancelled { return nil }
                let isFirst = !environment.records.hasStarted(desired.name)
                if error.code == .topology, isFirst, environment.services.isEssential(desired) { return error }
                logger.error("Cannot consume, trying again", error: error, metadata: metadata)
            }
            await pause(backoff.next())
        }
        await retire()
        return nil
    }

    /// The consumer is no longer wanted.
    func stop() { stopped.open() }

    /// Cancels the consumer, so that nothing is delivered any more; what was delivered stays valid.
    ///
    /// One of chords leaves at once: the next owner of its queue needs everything that this one holds.
    func stopConsumer() async {
        guard desired.role != .chords else { return await closeChannel() }
        await state.withLock { $0.consumer }?.stop()
    }

    /// Closes the channel; the broker takes back what is unsettled.
    func closeChannel() async { await state.withLock { $0.consumer }?.close() }

    /// Goes on with another prefetch count.
    func setCredit(_ credit: Int) async {
        let consumer = state.withLock { state in
            state.desired.credit = credit
            return state.consumer
        }
        await consumer?.setCredit(credit)
    }

    /// Looks at the queue over a channel of its own.
    func probe() async -> ConsumingWatchdog.Probe {
        guard let consumer = state.withLock({ $0.consumer }), !consumer.hasEnded else { return .notConsuming }
        do throws(AMQPError) {
            let channel = try await environment.connection.openChannel(confirms: false)
            let status = try await channel.declareQueue(QueueDeclaration(name: consumer.queue.name, passive: true))
            await channel.close()
            return .status(
                consumers: status.consumerCount,
                ready: status.messageCount,
                hasCredit: status.messageCount == 0 || consumer.hasCredit
            )
        } catch {
            logger.debug("a queue cannot be looked at", error: error, metadata: metadata)
            return .failed
        }
    }

    private func start() async throws(CeleryError) -> QueueConsumer {
        let desired = desired
        // Asked anew, since what was there earlier on this connection may be gone.
        environment.declarer.forget(desired.queue)
        if desired.role == .chords {
            // Two owners at a time, or a count of deliveries, would lose results: better none.
            try await environment.declarer.declareExactly(desired.queue)
        } else {
            try await environment.declarer.declare(desired.queue)
        }
        do throws(AMQPError) {
            let consumer = try await subscribe(desired)
            environment.started(desired.name)
            logger.debug("Consuming", metadata: metadata)
            return consumer
        } catch {
            throw CeleryError(error, "queue '\(desired.queue.name)' cannot be consumed")
        }
    }

    private func subscribe(_ desired: DesiredConsumer) async throws(AMQPError) -> QueueConsumer {
        let channel = try await environment.connection.openChannel(confirms: false)
        let consumer = QueueConsumer(
            desired,
            channel: channel,
            sink: handler.map { .handler($0) } ?? .intake(environment.services.intake),
            ledger: environment.services.ledger,
            deliveries: environment.records.deliveries(of: desired.name),
            logger: logger
        )
        do throws(AMQPError) {
            try await purgeIfWanted(desired, on: channel)
            consumer.announce(consumer.firstTag)
            _ = try await consumer.start()
            // Known to others from now on: another credit before that would start a second consumer.
            let credit = state.withLock { state in
                state.consumer = consumer
                return state.desired.credit
            }
            if credit != desired.credit { await consumer.setCredit(credit) }
            return consumer
        } catch {
            await consumer.close()
            throw error
        }
    }

    private func purgeIfWanted(_ desired: DesiredConsumer, on channel: any BrokerChannel) async throws(AMQPError) {
        guard environment.services.purge, environment.services.isEssential(desired),
            !environment.records.hasStarted(desired.name)
        else { return }
        let count = try await channel.purgeQueue(desired.queue.name)
        logger.warning(
            "Purged a queue",
            metadata: ["queue": "\(desired.queue.name)", "messages": "\(count)"]
        )
    }

    /// Waits for the consumer's end; nil when the task is cancelled.
    private func end(of consumer: QueueConsumer) async -> End? {
        let end = Gate<End>()
        consumer.ended.whenOpen { end.open(.ended($0)) }
        let observer = stopped.whenOpen { end.open(.stopped) }
        defer { stopped.remove(observer) }
        return await end.waitUnlessCancelled()
    }

    /// Waits, but not beyond the end of the slot or of its task.
    private func pause(_ wait: Duration) async {
        let over = Gate<Void>()
        let observer = stopped.whenOpen { over.open() }
        defer { stopped.remove(observer) }
        await Self.sleep(wait, until: over)
    }

    private static func sleep(_ wait: Duration, until over: Gate<Void>) async {
        let alarm = Alarm.after(wait) { over.open() }
        _ = await over.waitUnlessCancelled()
        alarm.cancel()
    }

    /// Cancels the consumer of a slot that was stopped, and closes its channel once everything is settled.
    private func retire() async {
        guard let consumer = state.withLock({ $0.consumer }), !Task.isCancelled else { return }
        guard desired.role != .chords else { return await consumer.close() }
        await consumer.stop()
        var polls = Backoff(first: 1, cap: 30)
        while !Task.isCancelled, !consumer.hasEnded {
            let over = Gate<Void>()
            let observer = consumer.ended.whenOpen { _ in over.open() }
            await Self.sleep(polls.next(), until: over)
            consumer.ended.remove(observer)
            if consumer.unsettledCount == 0 { break }
        }
        if !Task.isCancelled { await consumer.close() }
    }

    private func log(_ end: QueueConsumer.ConsumerEnd) {
        switch end {
        case .cancelled: logger.warning("The broker has cancelled a consumer", metadata: metadata)
        case .closed(nil): break
        case .closed(let error?): logger.warning("A channel has ended", error: error, metadata: metadata)
        }
    }
}
