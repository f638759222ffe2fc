package import AMQP
package import Logging
internal import Synchronization

/// Declares exchanges, queues and bindings, each once per connection.
///
/// Declarations run on channels of their own, since one that does not fit what is there ends its channel.
package final class TopologyDeclarer: Sendable {
    fileprivate struct State {
        var ready: Set<Item> = []
        var pending: [Item: Pending<Void>] = [:]
    }

    private static let capacity = 10_000

    fileprivate enum Item: Hashable {
        case queue(String)
        case exchange(String)
        case ladder
        /// A queue's way from the ladder's exit.
        case delayed(String)
        /// A queue's way from the ladder's exit for messages that its worker hands over.
        case handover(String)
    }

    private let connection: any BrokerConnection
    private let logger: Logger
    private let memory: TopologyMemory
    private let state = Mutex(State())

    /// Makes a declarer for a connection.
    ///
    /// - Parameters:
    ///   - connection: what is declared over.
    ///   - logger: told of queues and exchanges that are not as wanted.
    ///   - memory: what is known from connections before; one for the whole process, or worker, or client.
    package init(connection: any BrokerConnection, logger: Logger, memory: TopologyMemory) {
        self.connection = connection
        self.logger = logger
        self.memory = memory
    }

    /// Declares a queue with its exchange and bindings, unless it was done on this connection.
    ///
    /// What is there with other arguments is used as it is, with one warning that tells the difference; so is what this
    /// user may use but not declare.
    ///
    /// - Throws: ``CeleryError``: `.topology` where the broker refuses, `.connection`, or `.cancelled`.
    package func declare(_ queue: Queue) async throws(CeleryError) {
        if queue.noDeclare { return }
        try await once(.queue(queue.name)) { scratch throws(AMQPError) in try await scratch.declare(queue) }
    }

    /// Declares a queue that is of no use unless it is just as declared, and asks the broker each time.
    ///
    /// Where this user may use but not declare it, it is used as it is: nobody can tell.
    ///
    /// - Throws: ``CeleryError``: `.topology` where the queue is there with other arguments, or the broker refuses it for
    ///   another reason; `.connection`, or `.cancelled`.
    package func declareExactly(_ queue: Queue) async throws(CeleryError) {
        var scratch = ScratchDeclarer(connection: connection, logger: logger, memory: memory)
        let outcome: Result<Void, AMQPError>
        do throws(AMQPError) {
            outcome = .success(try await scratch.declareExactly(queue.declaration))
        } catch {
            outcome = .failure(error)
        }
        await scratch.close()
        guard case .failure(let error) = outcome else { return }
        guard error.code == .channelClosed, error.replyCode == 403 else {
            throw CeleryError(declaring: error, "queue '\(queue.name)' is not as it has to be")
        }
        try await declare(queue)
    }

    /// Declares an exchange, unless it was done on this connection.
    ///
    /// - Throws: ``CeleryError``: `.topology` where the broker refuses, `.connection`, or `.cancelled`.
    package func declare(_ exchange: ExchangeDeclaration) async throws(CeleryError) {
        try await once(.exchange(exchange.name)) { scratch throws(AMQPError) in try await scratch.declare(exchange) }
    }

    /// Prepares the delay ladder for messages that a worker of the queue hands over, unless it was done on this connection.
    ///
    /// - Throws: ``CeleryError`` as ``declare(_:)``.
    package func prepareHandover(of queue: String, _ type: QueueType) async throws(CeleryError) {
        try await once(.ladder) { scratch throws(AMQPError) in try await scratch.declareLadderIfMissing(type) }
        try await once(.handover(queue)) { scratch throws(AMQPError) in
            try await scratch.bind(queue, to: DelayLadder.exit, DelayHandover.bindingKey(for: queue))
        }
    }

    /// Lets the next declaration of this queue ask the broker again: after its deletion, for example.
    ///
    /// - Returns: whether it was declared on this connection.
    @discardableResult
    package func forget(_ queue: Queue) -> Bool {
        state.withLock { state in
            state.ready.remove(.ladder)
            state.ready.remove(.delayed(queue.name))
            state.ready.remove(.handover(queue.name))
            return state.ready.remove(.queue(queue.name)) != nil
        }
    }

    /// Checks that an exchange exists, unless it was done on this connection: a publish to one that does not would end the
    /// channel, and everything else in flight on it.
    ///
    /// - Throws: ``CeleryError``: `.unroutable` where it does not exist, `.connection`, or `.cancelled`.
    package func checkExchange(_ name: String) async throws(CeleryError) {
        if name.isEmpty || name.hasPrefix("amq.") { return }
        try await once(.exchange(name)) { scratch throws(AMQPError) in try await scratch.check(exchange: name) }
    }

    /// Prepares everything that a message needs to reach its queue, unless it was done on this connection.
    ///
    /// For a task that the broker delays that includes the ladder, where no worker has declared it, and the way from there to
    /// the queue: a message for which there is none at its end would be lost long after its confirm.
    ///
    /// - Throws: ``CeleryError`` as ``declare(_:)`` and ``checkExchange(_:)``.
    package func prepare(for task: ComposedTask) async throws(CeleryError) {
        if let queue = task.queue { try await declare(queue) }
        if case .ladder(let type)? = task.delay {
            try await once(.ladder) { scratch throws(AMQPError) in try await scratch.declareLadderIfMissing(type) }
            guard let queue = task.queue else { return }
            try await once(.delayed(queue.name)) { scratch throws(AMQPError) in try await scratch.bindToLadder(queue) }
        } else if task.queue == nil {
            try await checkExchange(task.message.exchange)
        }
    }

    private func once(
        _ item: Item,
        _ work: @escaping @Sendable (inout ScratchDeclarer) async throws(AMQPError) -> Void
    ) async throws(CeleryError) {
        enum Turn {
            case done
            case wait(Pending<Void>)
            case begin(Pending<Void>)
        }
        let turn: Turn = state.withLock { state in
            if state.ready.contains(item) { return .done }
            if let pending = state.pending[item] { return .wait(pending) }
            let pending = Pending<Void>()
            state.pending[item] = pending
            return .begin(pending)
        }
        switch turn {
        case .done:
            return
        case .wait(let pending):
            try await pending.value()
        case .begin(let pending):
            // A task of its own: a caller who gives up must not fail the others.
            Task { await perform(item, work, pending) }
            try await pending.value()
        }
    }

    private func perform(
        _ item: Item,
        _ work: @Sendable (inout ScratchDeclarer) async throws(AMQPError) -> Void,
        _ pending: Pending<Void>
    ) async {
        let outcome: Result<Void, CeleryError>
        var scratch = ScratchDeclarer(connection: connection, logger: logger, memory: memory)
        do throws(AMQPError) {
            try await work(&scratch)
            outcome = .success(())
        } catch {
            outcome = .failure(CeleryError(declaring: error, item.complaint))
        }
        state.withLock { state in
            state.pending[item] = nil
            guard case .success = outcome else { return }
            // A process that never stops naming new queues begins anew at some time.
            if state.ready.count >= Self.capacity { state.ready = [] }
            state.ready.insert(item)
        }
        pending.settle(outcome)
        await scratch.close()
    }
}

extension CeleryError {
    /// Translates why a declaration failed: what the broker ends connections for is no trouble of the connection.
    init(declaring error: AMQPError, _ message: String, file: String = #fileID, line: Int = #line) {
        if error.isHardRefusal {
            self.init(.topology, message, underlying: error, file: file, line: line)
        } else {
            self.init(error, message, file: file, line: line)
        }
    }
}

extension TopologyDeclarer.Item {
    fileprivate var complaint: String {
        switch self {
        case .queue(let name): "queue '\(name)' cannot be declared"
        case .exchange(let name): "exchange '\(name)' cannot be published to"
        case .ladder: "the delay ladder cannot be declared"
        case .delayed(let name), .handover(let name): "queue '\(name)' cannot be bound to the delay ladder"
        }
    }
}
