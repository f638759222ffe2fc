internal import AMQP
package import Logging

/// Declares the delay ladder and binds queues to its exit (`celery.worker.consumer.delayed_delivery`).
///
/// Like all declarations of ours these run on channels of their own and use what is there as it is. A worker of quorum
/// queues runs them on every new connection, so that each of several brokers has a ladder.
package struct DelayedDeliveryTopology: Sendable {
    /// Celery's: three further tries, a second apart.
    private static let policy = RetryPolicy(maxRetries: 3, intervalStart: .seconds(1), intervalStep: .zero)

    private let connection: any BrokerConnection
    private let queueType: QueueType
    private let logger: Logger
    private let memory: TopologyMemory

    /// Makes the topology of a connection.
    ///
    /// - Parameters:
    ///   - connection: what is declared over.
    ///   - queueType: `broker_native_delayed_delivery_queue_type`.
    ///   - logger: told of what cannot be delayed, once.
    ///   - memory: what is known from connections before.
    package init(
        connection: any BrokerConnection,
        queueType: QueueType,
        logger: Logger,
        memory: TopologyMemory
    ) {
        self.connection = connection
        self.queueType = queueType
        self.logger = logger
        self.memory = memory
    }

    /// Declares the ladder and binds queues to it, which are there, as Celery's workers do.
    ///
    /// Broadcasts, and queues of exchanges that cannot delay, are left out; the latter with one warning.
    ///
    /// - Throws: ``CeleryError``: `.topology` where the broker refuses, `.connection`, or `.cancelled`.
    package func declare(_ queues: [Queue]) async throws(CeleryError) {
        try await perform("the delay ladder cannot be declared") { scratch throws(AMQPError) in
            try await scratch.declareLadder(queueType)
            for queue in queues { try await scratch.bindToLadder(queue) }
        }
    }

    /// Binds a queue to the ladder, which is there, so that its messages can be handed over (``DelayHandover``).
    ///
    /// - Returns: whether they can; not where the queue's name fits no key.
    /// - Throws: ``CeleryError`` as ``declare(_:)``.
    @discardableResult
    package func declare(handover queue: String) async throws(CeleryError) -> Bool {
        guard DelayHandover.isPossible(for: queue) else { return false }
        try await perform("queue '\(queue)' cannot be bound to the delay ladder") { scratch throws(AMQPError) in
            try await scratch.bind(queue, to: DelayLadder.exit, DelayHandover.bindingKey(for: queue))
        }
        return true
    }

    private func perform(
        _ complaint: String,
        _ work: (inout ScratchDeclarer) async throws(AMQPError) -> Void
    ) async throws(CeleryError) {
        try await retrying(Self.policy, logger: logger) { () async throws(CeleryError) in
            var scratch = ScratchDeclarer(connection: connection, logger: logger, memory: memory)
            do throws(AMQPError) {
                try await work(&scratch)
                await scratch.close()
            } catch {
                await scratch.close()
                throw CeleryError(declaring: error, complaint)
            }
        } unless: {
            // On a connection that has ended no further try helps.
            ($0.underlying as? AMQPError)?.code == .connectionClosed
        }
    }
}

extension ScratchDeclarer {
    /// Declares the ladder, whatever is there of it, in Celery's order.
    mutating func declareLadder(_ type: QueueType) async throws(AMQPError) {
        for level in (0..<DelayLadder.levels).reversed() {
            let name = DelayLadder.name(ofLevel: level)
            try await declare(DelayLadder.exchange(ofLevel: level))
            try await declare(DelayLadder.queue(ofLevel: level, type: type))
            try await bind(name, to: name, DelayLadder.bindingKey(ofLevel: level, digit: 1))
        }
        for level in (1..<DelayLadder.levels).reversed() {
            try await bind(
                exchange: DelayLadder.name(ofLevel: level - 1),
                to: DelayLadder.name(ofLevel: level),
                DelayLadder.bindingKey(ofLevel: level, digit: 0)
            )
        }
        try await declare(DelayLadder.exitExchange)
        try await bindExit()
    }

    /// Declares the ladder unless it is there.
    ///
    /// Its exit is looked for, which everybody declares last: somebody else may be about to declare it now. What that one
    /// has still to do then is done here too.
    mutating func declareLadderIfMissing(_ type: QueueType) async throws(AMQPError) {
        do {
            try await check(exchange: DelayLadder.exit)
        } catch {
            guard error.code == .channelClosed, error.replyCode == 404 else { throw error }
            return try await declareLadder(type)
        }
        try await bindExit()
    }

    private mutating func bindExit() async throws(AMQPError) {
        try await bind(
            exchange: DelayLadder.exit,
            to: DelayLadder.name(ofLevel: 0),
            DelayLadder.bindingKey(ofLevel: 0, digit: 0)
        )
    }

    /// Lets what comes out of the ladder reach a queue, through the queue's exchange.
    mutating func bindToLadder(_ queue: Queue) async throws(AMQPError) {
        if queue.isBroadcast { return }
        if let exchange = queue.exchange, !exchange.name.isEmpty {
            try await bindToLadder(queue.name, exchange, queue.routingKey ?? "")
        } else {
            for binding in queue.bindings {
                try await bindToLadder(queue.name, binding.exchange, binding.routingKey)
            }
        }
    }

    private mutating func bindToLadder(
        _ queue: String,
        _ exchange: ExchangeDeclaration,
        _ routingKey: String
    ) async throws(AMQPError) {
        guard DelayLadder.delays(exchangeType: exchange.type) else {
            return memory.noteUndelayed(exchange: exchange.name, logger)
        }
        let key = DelayLadder.bindingKey(for: routingKey)
        try await bind(exchange: exchange.name, to: DelayLadder.exit, key)
        try await bind(queue, to: exchange.name, key)
    }
}

extension TopologyMemory {
    /// Tells once of an exchange for which the broker cannot delay tasks, as Celery does at every send.
    func noteUndelayed(exchange: String, _ logger: Logger) {
        guard remember(.binding(destination: exchange, source: DelayLadder.exit, routingKey: "")) else { return }
        logger.warning(
            "tasks with a countdown or an eta wait in the worker: the broker delays for topic and fanout exchanges only",
            metadata: ["exchange": "\(exchange)"]
        )
    }
}
