internal import AMQP

/// The queues that are known by name, complete with exchange and key, and how missing ones are made
/// (`celery.app.amqp.Queues`).
package struct QueueTable: Sendable {
    private let queues: [String: Queue]
    private let order: [String]
    private let configuration: CeleryConfiguration

    package init(configuration: CeleryConfiguration) {
        self.configuration = configuration
        var declared = configuration.taskQueues
        if declared.isEmpty {
            let type: FieldTable = configuration.taskDefaultQueueType == .quorum ? ["x-queue-type": "quorum"] : [:]
            declared = [Queue(configuration.taskDefaultQueue, arguments: type)]
        }
        var queues: [String: Queue] = [:]
        var order: [String] = []
        for queue in declared {
            if queues.updateValue(Self.completed(queue, configuration), forKey: queue.name) == nil {
                order.append(queue.name)
            }
        }
        self.queues = queues
        self.order = order
    }

    /// The queues of the configuration, in its order: what a worker consumes unless told otherwise.
    package var all: [Queue] { order.compactMap { queues[$0] } }

    /// Whether any of them is a quorum queue: Celery then delays tasks in the broker.
    package var usesQuorum: Bool { queues.values.contains { $0.isQuorum } }

    /// The type of an exchange, where one of the queues tells it.
    func type(ofExchange name: String) -> String? {
        for queue in queues.values {
            if let exchange = queue.exchange, exchange.name == name { return exchange.type }
            if let binding = queue.bindings.first(where: { $0.exchange.name == name }) { return binding.exchange.type }
        }
        return nil
    }

    /// The queue of this name, made where missing ones are made.
    ///
    /// - Throws: ``CeleryError/Code/queueNotFound``.
    package func queue(named name: String) throws(CeleryError) -> Queue {
        if let queue = queues[name] { return queue }
        guard configuration.taskCreateMissingQueues else {
            throw CeleryError(.queueNotFound, "queue '\(name)' missing from task_queues")
        }
        return missing(name)
    }

    /// A queue that nobody declared: with an exchange and a key of its own name.
    private func missing(_ name: String) -> Queue {
        let type: FieldTable = configuration.taskCreateMissingQueueType == .quorum ? ["x-queue-type": "quorum"] : [:]
        let exchange = ExchangeDeclaration(
            name: name,
            type: configuration.taskCreateMissingQueueExchangeType ?? "direct"
        )
        return Self.completed(Queue(name, exchange: exchange, routingKey: name, arguments: type), configuration)
    }

    /// Fills in exchange, key and highest priority where the queue leaves them out.
    private static func completed(_ queue: Queue, _ configuration: CeleryConfiguration) -> Queue {
        var queue = queue
        if (queue.exchange?.name ?? "").isEmpty, !queue.noDeclare {
            queue.exchange = ExchangeDeclaration(
                name: configuration.taskDefaultExchange ?? configuration.taskDefaultQueue,
                type: configuration.taskDefaultExchangeType
            )
        }
        if (queue.routingKey ?? "").isEmpty {
            queue.routingKey = configuration.taskDefaultRoutingKey ?? configuration.taskDefaultQueue
        }
        if let highest = configuration.taskQueueMaxPriority, queue.declaration.arguments["x-max-priority"] == nil {
            queue.declaration.arguments["x-max-priority"] = .integer(Int(highest))
        }
        return queue
    }
}
