import AMQP
import Celery
import Logging
import Synchronization

/// Keeps the consuming connection, and on it the desired topology: one channel and consumer for each queue, set up again
/// after every loss.
///
/// Its loop ends when its task is cancelled; the connection stays open then, so that running tasks can be settled.
final class ConsumerSupervisor: Sendable {
    private struct State {
        var desired: DesiredTopology
        var handlers: [DesiredConsumer.Name: ConsumerHandler] = [:]
        var session: ConsumingSession?
    }

    /// What the supervisor works with.
    struct Environment: Sendable {
        let broker: any Broker
        let configuration: CeleryConfiguration
        /// What is wanted at the start: a worker does not begin without it.
        let topology: DesiredTopology
        /// Whether any known queue is a quorum queue, so that the broker delays tasks.
        let usesQuorum: Bool
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

        /// Whether the worker cannot begin without this consumer.
        func isEssential(_ consumer: DesiredConsumer) -> Bool {
            topology.consumers.contains { $0.name == consumer.name }
        }
    }

    private let environment: Environment
    private let state: Mutex<State>
    private let records = ConsumerRecords()
    /// Opens when every queue has a consumer for the first time.
    let ready = Gate<Void>()

    init(_ environment: Environment) {
        self.environment = environment
        state = Mutex(State(desired: environment.topology))
    }

    /// Runs until the task is cancelled.
    ///
    /// - Throws: ``CeleryError`` when no further attempt to connect is allowed, when at the first start a queue cannot be
    ///   declared as configured, or when consuming has been dead for too long.
    func run() async throws(CeleryError) {
        var reconnector = Reconnector(
            broker: environment.broker,
            role: .consume,
            configuration: environment.configuration,
            reconnects: environment.counters.reconnects,
            logger: environment.logger
        )
        while !Task.isCancelled {
            let connected: Reconnector.Connected
            do {
                connected = try await reconnector.connect()
            } catch  where error.code == .cancelled {
                return
            }
            let session = ConsumingSession(connected, services: environment, records: records) { [weak self] name in
                self?.noteStarted(name)
            }
            state.withLock { $0.session = session }
            try await session.run { [self] in state.withLock { ($0.desired, $0.handlers) } }
            guard !Task.isCancelled else { return }
            records.disconnected()
            let end = await session.connection.waitUntilClosed()
            await session.close()
            try await reconnector.lost(end)
        }
    }

    /// Cancels all consumers: afterwards nothing is delivered any more.
    func stopConsumers() async { await state.withLock { $0.session }?.stopConsumers() }

    /// Closes one consumer's channel; the broker takes back what is unsettled, and another channel is opened.
    func closeChannel(of name: DesiredConsumer.Name) async {
        await state.withLock { $0.session }?.closeChannel(of: name)
    }

    /// Closes the channels and the connection; the broker takes back what is unsettled.
    func close() async { await state.withLock { $0.session }?.close() }

    private func noteStarted(_ name: DesiredConsumer.Name) {
        if name.role != .chords { environment.counters.consumers.add() }
        records.noteStarted(name)
        openIfReady()
    }

    private func openIfReady() {
        let wanted = state.withLock { $0.desired.consumers }
        // The collector is no part of being ready: tasks run without it.
        if wanted.allSatisfy({ $0.role == .chords || records.hasStarted($0.name) }) { ready.open() }
    }
}

// MARK: - Changes at run time

extension ConsumerSupervisor {
    /// The queues that tasks are consumed from.
    var taskQueues: [Queue] { state.withLock { $0.desired.taskQueues } }

    /// Consumes from a further queue, on this connection and on all that follow.
    func addTaskConsumer(_ queue: Queue) {
        change { $0.desired.add(DesiredConsumer(queue, credit: environment.prefetch)) }
    }

    /// Consumes with a handler of its own, which gets the messages where the connection reads.
    func addConsumer(_ consumer: DesiredConsumer, _ handler: @escaping ConsumerHandler) {
        change { state in
            state.handlers[consumer.name] = handler
            state.desired.add(consumer)
        }
    }

    /// Wants an exchange to be there.
    func addExchange(_ exchange: ExchangeDeclaration) { change { $0.desired.add(exchange) } }

    /// Wants a queue to be there that is not consumed.
    func addQueue(_ queue: Queue) { change { $0.desired.add(queue) } }

    /// Stops a consumer for good; what it has delivered is still run.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    func removeConsumer(_ name: DesiredConsumer.Name) -> Bool {
        let isThere = change { state in
            state.handlers[name] = nil
            return state.desired.remove(name)
        }
        openIfReady()
        return isThere
    }

    /// Gives a consumer another prefetch count.
    ///
    /// - Returns: whether there is one.
    @discardableResult
    func setCredit(_ credit: Int, of name: DesiredConsumer.Name) -> Bool {
        change { $0.desired.setCredit(credit, of: name) }
    }

    private func change<Value: Sendable>(_ body: (inout sending State) -> Value) -> Value {
        let (value, session) = state.withLock { state in (body(&state), state.session) }
        session?.wake()
        return value
    }
}
