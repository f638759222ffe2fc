import AMQP
import Celery
import Logging
import Synchronization

/// One consuming connection: brings the desired topology about on it, keeps to it while it changes, and watches over it.
final class ConsumingSession: Sendable {
    private struct State {
        var applied: AppliedTopology
        var slots: [DesiredConsumer.Name: ConsumerSlot] = [:]
        /// Slots of consumers that are no longer wanted and still have deliveries to settle.
        var retired: [ConsumerSlot] = []
    }

    let connection: any BrokerConnection
    private let epoch: Int
    private let services: ConsumerSupervisor.Environment
    private let records: ConsumerRecords
    private let started: @Sendable (DesiredConsumer.Name) -> Void
    private let declarer: TopologyDeclarer
    private let state: Mutex<State>
    private let failure = Gate<CeleryError>()
    private let wakeups: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(
        _ connected: Reconnector.Connected,
        services: ConsumerSupervisor.Environment,
        records: ConsumerRecords,
        started: @escaping @Sendable (DesiredConsumer.Name) -> Void
    ) {
        connection = connected.connection
        epoch = connected.epoch
        self.services = services
        self.records = records
        self.started = started
        declarer = TopologyDeclarer(
            connection: connected.connection,
            logger: services.logger,
            memory: services.memory
        )
        state = Mutex(State(applied: AppliedTopology(epoch: connected.epoch)))
        (wakeups, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        waker.yield()
    }

    /// The desired topology has changed.
    func wake() { waker.yield() }

    /// Runs until the connection has ended or the task is cancelled.
    ///
    /// - Throws: ``CeleryError`` where the worker must not go on.
    func run(
        _ desired: @escaping @Sendable () -> (DesiredTopology, [DesiredConsumer.Name: ConsumerHandler])
    ) async throws(CeleryError) {
        let closed = Gate<Void>()
        Task(executorPreference: services.executor) { [connection] in
            _ = await connection.waitUntilClosed()
            closed.open()
        }
        closed.whenOpen { [self] in end() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch() }
            if epoch == 1 {
                await declareDelays(for: desired().0)
            } else {
                // The ladder is there, most likely; work need not wait for it.
                group.addTask { await self.declareDelays(for: desired().0) }
            }
            for await _ in wakeups {
                let (topology, handlers) = desired()
                for change in state.withLock({ $0.applied.changes(to: topology) }) {
                    await perform(change, handlers, &group)
                    state.withLock { $0.applied.apply(change) }
                }
            }
            group.cancelAll()
        }
        if let error = failure.value { throw error }
    }

    /// Cancels all consumers: afterwards nothing is delivered any more.
    func stopConsumers() async {
        for slot in slots { await slot.stopConsumer() }
    }

    /// Closes one consumer's channel; the broker takes back what is unsettled, and another channel is opened.
    func closeChannel(of name: DesiredConsumer.Name) async {
        await state.withLock { $0.slots[name] }?.closeChannel()
    }

    /// Closes the channels and the connection; the broker takes back what is unsettled.
    func close() async {
        for slot in slots { await slot.closeChannel() }
        await connection.close()
    }

    private var slots: [ConsumerSlot] { state.withLock { Array($0.slots.values) + $0.retired } }

    /// Ends the loop, which cancels the slots.
    private func end() { waker.finish() }
}

// MARK: - Changes

extension ConsumingSession {
    private func perform(
        _ change: TopologyChange,
        _ handlers: [DesiredConsumer.Name: ConsumerHandler],
        _ group: inout DiscardingTaskGroup
    ) async {
        switch change {
        case .cancel(let name): cancel(name)
        case .consume(let desired): consume(desired, handlers[desired.name], &group)
        case .setCredit(let credit, let name):
            guard let slot = state.withLock({ $0.slots[name] }) else { return }
            group.addTask { await slot.setCredit(credit) }
        case .declareExchange(let exchange):
            await declare("exchange", exchange.name) { () async throws(CeleryError) in
                try await declarer.declare(exchange)
            }
        case .declareQueue(let queue):
            await declare("queue", queue.name) { () async throws(CeleryError) in try await declarer.declare(queue) }
        }
    }

    private func consume(_ desired: DesiredConsumer, _ handler: ConsumerHandler?, _ group: inout DiscardingTaskGroup) {
        let slot = ConsumerSlot(
            desired,
            handler: handler,
            environment: ConsumerSlot.Environment(
                connection: connection,
                declarer: declarer,
                epoch: epoch,
                services: services,
                records: records,
                started: started
            )
        )
        state.withLock { $0.slots[desired.name] = slot }
        group.addTask {
            if let error = await slot.run() { self.fail(error) }
            self.state.withLock { state in state.retired.removeAll { $0 === slot } }
        }
    }

    private func cancel(_ name: DesiredConsumer.Name) {
        let slot = state.withLock { state in
            let slot = state.slots.removeValue(forKey: name)
            if let slot { state.retired.append(slot) }
            return slot
        }
        slot?.stop()
        records.resetWatchdog(name)
    }

    /// Declares what nobody here consumes; without it the worker goes on.
    private func declare(_ kind: String, _ name: String, _ body: () async throws(CeleryError) -> Void) async {
        do throws(CeleryError) {
            try await body()
        } catch {
            services.logger.warning(
                "Cannot declare, going on without",
                error: error,
                metadata: ["kind": "\(kind)", "name": "\(name)", "epoch": "\(epoch)"]
            )
        }
    }

    /// Declares the delay ladder where quorum queues are in use, and lets it lead to the queues of tasks; where that fails,
    /// tasks for later are held here (Celery's `DelayedDelivery` step).
    private func declareDelays(for topology: DesiredTopology) async {
        guard services.usesQuorum || topology.taskQueues.contains(where: \.isQuorum) else { return }
        var queues: [Queue] = []
        for queue in topology.taskQueues where !queue.isBroadcast {
            do throws(CeleryError) {
                try await declarer.declare(queue)
                queues.append(queue)
            } catch {
                // Its consumer meets the same error, and tells.
                services.logger.debug("no delays for a queue", error: error, metadata: ["queue": "\(queue.name)"])
            }
        }
        let delays = DelayedDeliveryTopology(
            connection: connection,
            queueType: services.configuration.brokerNativeDelayedDeliveryQueueType,
            logger: services.logger,
            memory: services.memory
        )
        do throws(CeleryError) {
            try await delays.declare(queues)
        } catch {
            guard !Task.isCancelled else { return }
            services.logger.warning(
                "The broker's delay ladder cannot be used; tasks for later are held by the worker",
                error: error,
                metadata: ["epoch": "\(epoch)"]
            )
        }
    }

    private func fail(_ error: CeleryError) {
        failure.open(error)
        end()
    }
}

// MARK: - Watchdog

extension ConsumingSession {
    /// Looks after every consumer from time to time, until the task is cancelled.
    private func watch() async {
        guard let limit = services.configuration.workerWatchdogTimeout, limit > .zero else { return }
        while !Task.isCancelled {
            await Alarm.sleep(ConsumingWatchdog.interval(limit: limit))
            for slot in state.withLock({ Array($0.slots.values) }) where !Task.isCancelled {
                await look(after: slot, limit: limit)
            }
        }
    }

    private func sharing(of queue: Queue) -> ConsumingWatchdog.Sharing {
        guard services.memory.isAsWanted(queue.declaration) else { return .unknown }
        return queue.isSingleActive ? .singleActive : .shared
    }

    private func otherTaskConsumers(than name: DesiredConsumer.Name) -> [DesiredConsumer.Name] {
        state.withLock { $0.slots.keys.filter { $0.role == .tasks && $0 != name } }
    }

    private func look(after slot: ConsumerSlot, limit: Duration) async {
        // Control and event queues may be silent for ever, and their loss is no loss of work.
        let desired = slot.desired
        guard desired.role == .tasks, records.hasStarted(desired.name) else { return }
        let deliveries = records.deliveries(of: desired.name)
        var action = records.ask(desired.name, limit: limit) { $0.look(deliveries: deliveries.count, now: .now) }
        if case .probe = action {
            let probe = await slot.probe()
            guard !Task.isCancelled else { return }
            let sharing = sharing(of: desired.queue)
            let othersWork = records.isConsuming(otherTaskConsumers(than: desired.name), limit: limit)
            action = records.ask(desired.name, limit: limit) {
                $0.probed(probe, of: sharing, deliveries: deliveries.count, othersWork: othersWork, now: .now)
            }
        }
        switch action {
        case .none, .probe: return
        case .replaceChannel:
            services.counters.watchdogReplacements.add()
            services.logger.error(
                "Nothing is consumed although the broker should deliver; replacing the channel",
                metadata: ["queue": "\(desired.queue.name)", "epoch": "\(epoch)"]
            )
            await slot.closeChannel()
        case .giveUp:
            services.logger.critical(
                "Consuming has been dead for too long; the worker ends",
                metadata: ["queue": "\(desired.queue.name)", "seconds": "\(limit.seconds)"]
            )
            fail(
                CeleryError(
                    .consumingStopped,
                    "nothing could be consumed from queue '\(desired.queue.name)' for \(limit), though connected"
                )
            )
        }
    }
}
