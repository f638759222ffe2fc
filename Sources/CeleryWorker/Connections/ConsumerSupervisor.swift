import AMQP
import Celery
import Logging
import Synchronization

/// Keeps the consuming connection: one channel and consumer for each queue, set up again after every loss.
///
/// Its loop ends when its task is cancelled; the connection stays open then, so that running tasks can be settled.
final class ConsumerSupervisor: Sendable {
    private struct State {
        var connection: (any BrokerConnection)?
        var consumers: [String: QueueConsumer] = [:]
        /// Queues whose consumer has started at least once.
        var started: Set<String> = []
    }

    /// What the supervisor works with.
    struct Environment: Sendable {
        let broker: any Broker
        let configuration: CeleryConfiguration
        let queues: [Queue]
        let prefetch: Int
        let purge: Bool
        let intake: Intake
        let ledger: DeliveryLedger
        let counters: WorkerCounters
        let logger: Logger
        /// What is known of the queues and exchanges, over all connections.
        let memory: TopologyMemory
        /// Where the supervisor's own tasks run: threads that no task body can hold up.
        let executor: ThreadExecutor
    }

    private let environment: Environment
    private let state = Mutex(State())
    /// Opens when every queue has a consumer for the first time.
    let ready = Gate<Void>()

    init(_ environment: Environment) {
        self.environment = environment
    }

    /// Runs until the task is cancelled.
    ///
    /// - Throws: ``CeleryError`` when no further attempt to connect is allowed, or when at the first start a queue cannot
    ///   be declared as configured.
    func run() async throws(CeleryError) {
        var reconnector = Reconnector(
            broker: environment.broker,
            role: .consume,
            configuration: environment.configuration,
            reconnects: environment.counters.reconnects,
            logger: environment.logger
        )
        while !Task.isCancelled {
            let connection: any BrokerConnection
            do {
                connection = try await reconnector.connect().connection
            } catch  where error.code == .cancelled {
                return
            }
            state.withLock { $0.connection = connection }
            try await serve(connection)
            guard !Task.isCancelled else { return }
            let end = await connection.waitUntilClosed()
            await connection.close()
            try await reconnector.lost(end)
        }
    }

    /// Cancels all consumers: afterwards nothing is delivered any more.
    func stopConsumers() async {
        for consumer in state.withLock({ Array($0.consumers.values) }) { await consumer.stop() }
    }

    /// Closes the channels and the connection; the broker takes back what is unsettled.
    func close() async {
        let (connection, consumers) = state.withLock { ($0.connection, Array($0.consumers.values)) }
        for consumer in consumers { await consumer.close() }
        await connection?.close()
    }

    /// Consumes from all queues until the connection has ended or the task is cancelled.
    private func serve(_ connection: any BrokerConnection) async throws(CeleryError) {
        let closed = Gate<Void>()
        Task(executorPreference: environment.executor) {
            _ = await connection.waitUntilClosed()
            closed.open()
        }
        let topology = TopologyDeclarer(
            connection: connection,
            logger: environment.logger,
            memory: environment.memory
        )
        let failure = await withTaskGroup(of: CeleryError?.self) { group in
            for queue in environment.queues {
                group.addTask {
                    await self.serve(queue, on: connection, topology, until: closed)
                }
            }
            for await case let failure? in group {
                group.cancelAll()
                return failure as CeleryError?
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Consumes from one queue until the connection has ended or the task is cancelled.
    ///
    /// - Returns: why the worker must not go on; nil otherwise.
    private func serve(
        _ queue: Queue,
        on connection: any BrokerConnection,
        _ topology: TopologyDeclarer,
        until closed: Gate<Void>
    ) async -> CeleryError? {
        var backoff = Backoff()
        while !Task.isCancelled, !closed.isOpen {
            do throws(CeleryError) {
                let consumer = try await start(queue, on: connection, topology)
                backoff.reset()
                guard let end = await consumer.ended.waitUnlessCancelled() else { return nil }
                log(end, of: queue)
                await consumer.close()
            } catch {
                if error.code == .cancelled { return nil }
                if error.code == .topology, !hasStarted(queue) { return error }
                environment.logger.error(
                    "Cannot consume, trying again",
                    error: error,
                    metadata: ["queue": "\(queue.name)"]
                )
            }
            if !closed.isOpen { await Alarm.sleep(backoff.next()) }
        }
        return nil
    }

    private func start(
        _ queue: Queue,
        on connection: any BrokerConnection,
        _ topology: TopologyDeclarer
    ) async throws(CeleryError) -> QueueConsumer {
        // A queue whose consumer has ended on this connection may be gone.
        topology.forget(queue)
        try await topology.declare(queue)
        do {
            let channel = try await connection.openChannel(confirms: false)
            if environment.purge, !hasStarted(queue) { try await purge(queue, on: channel) }
            let consumer = QueueConsumer(
                queue: queue,
                channel: channel,
                prefetch: environment.prefetch,
                intake: environment.intake,
                ledger: environment.ledger,
                logger: environment.logger
            )
            try await channel.qos(prefetchCount: environment.prefetch)
            environment.intake.post(.started(consumer, tag: QueueConsumer.firstTag))
            state.withLock { $0.consumers[queue.name] = consumer }
            _ = try await consumer.start()
            noteStarted(queue)
            return consumer
        } catch {
            throw CeleryError(error, "queue '\(queue.name)' cannot be consumed")
        }
    }

    private func purge(_ queue: Queue, on channel: any BrokerChannel) async throws(AMQPError) {
        let count = try await channel.purgeQueue(queue.name)
        environment.logger.warning("Purged a queue", metadata: ["queue": "\(queue.name)", "messages": "\(count)"])
    }

    private func hasStarted(_ queue: Queue) -> Bool { state.withLock { $0.started.contains(queue.name) } }

    private func noteStarted(_ queue: Queue) {
        environment.counters.consumers.add()
        let isReady = state.withLock { state in
            state.started.insert(queue.name)
            return state.started.count == environment.queues.count
        }
        if isReady { ready.open() }
    }

    private func log(_ end: QueueConsumer.ConsumerEnd, of queue: Queue) {
        let metadata: Logger.Metadata = ["queue": "\(queue.name)"]
        switch end {
        case .cancelled: environment.logger.warning("The broker has cancelled a consumer", metadata: metadata)
        case .closed(nil): break
        case .closed(let error?): environment.logger.warning("A channel has ended", error: error, metadata: metadata)
        }
    }
}
