internal import AMQP
internal import Celery
internal import DequeModule

extension BrokerState {
    // MARK: Exchanges

    mutating func declareExchange(_ declaration: ExchangeDeclaration, on channel: Int) throws(AMQPError) {
        _ = try self.channel(channel)
        let name = declaration.name
        if !declaration.passive { try checkPermission("exchange", name, on: channel) }
        if let existing = exchanges[name]?.declaration {
            if !declaration.passive, let complaint = Inequivalence.complaint(existing, declaration) {
                throw fail(channel, 406, complaint)
            }
            return
        }
        if declaration.passive {
            throw fail(channel, 404, "NOT_FOUND - no exchange '\(name)'")
        }
        guard !name.isEmpty, !name.hasPrefix("amq.") else {
            throw fail(channel, 403, "ACCESS_REFUSED - exchange name '\(name)' is reserved")
        }
        guard MemoryExchange.types.contains(declaration.type) else {
            throw failConnection(of: channel, 503, "COMMAND_INVALID - unknown exchange type '\(declaration.type)'")
        }
        exchanges[name] = MemoryExchange(declaration)
    }

    mutating func deleteExchange(_ name: String, ifUnused: Bool, on channel: Int) throws(AMQPError) {
        _ = try self.channel(channel)
        guard let exchange = exchanges[name] else { return }
        guard !ifUnused || exchange.bindings.isEmpty else {
            throw fail(channel, 406, "PRECONDITION_FAILED - exchange '\(name)' in use")
        }
        removeExchange(name)
    }

    mutating func removeExchange(_ name: String) {
        exchanges[name] = nil
        unbindAll { $0.destination == .exchange(name) }
    }

    /// The broker asks for the permission before it looks whether there is something of the name.
    private mutating func checkPermission(_ kind: String, _ name: String, on channel: Int) throws(AMQPError) {
        guard protectedNames.contains(name) else { return }
        throw fail(channel, 403, "ACCESS_REFUSED - access to \(kind) '\(name)' in vhost '/' refused")
    }

    // MARK: Bindings

    mutating func bind(
        _ destination: MemoryExchange.Destination,
        to source: String,
        routingKey: String,
        arguments: FieldTable,
        on channel: Int
    ) throws(AMQPError) {
        try check(destination, source: source, on: channel)
        exchanges[source]?.bind(
            MemoryExchange.Binding(destination: destination, routingKey: routingKey, arguments: arguments)
        )
    }

    mutating func unbind(
        _ destination: MemoryExchange.Destination,
        from source: String,
        routingKey: String,
        arguments: FieldTable,
        on channel: Int
    ) throws(AMQPError) {
        try check(destination, source: source, on: channel)
        let binding = MemoryExchange.Binding(destination: destination, routingKey: routingKey, arguments: arguments)
        if exchanges[source]?.unbind(where: { $0 == binding }) == true { removeExchange(source) }
    }

    private mutating func check(
        _ destination: MemoryExchange.Destination,
        source: String,
        on channel: Int
    ) throws(AMQPError) {
        switch destination {
        case .queue(let name):
            try checkPermission("queue", name, on: channel)
            _ = try queue(name, on: channel)
        case .exchange(let name):
            try checkPermission("exchange", name, on: channel)
            try checkExchange(name, on: channel)
        }
        try checkExchange(source, on: channel)
    }

    private mutating func checkExchange(_ name: String, on channel: Int) throws(AMQPError) {
        _ = try self.channel(channel)
        guard !name.isEmpty else {
            throw fail(channel, 403, "ACCESS_REFUSED - operation not permitted on the default exchange")
        }
        guard exchanges[name] != nil else { throw fail(channel, 404, "NOT_FOUND - no exchange '\(name)'") }
    }

    private mutating func unbindAll(where isMeant: (MemoryExchange.Binding) -> Bool) {
        for name in exchanges.keys where exchanges[name]?.unbind(where: isMeant) == true { removeExchange(name) }
    }

    // MARK: Queues

    mutating func declareQueue(_ declaration: QueueDeclaration, on channel: Int) throws(AMQPError) -> QueueStatus {
        let connection = try self.channel(channel).connection
        var declaration = declaration
        if declaration.name.isEmpty { declaration.name = "amq.gen-\(nextID())" }
        let name = declaration.name
        if !declaration.passive { try checkPermission("queue", name, on: channel) }
        if queues[name] != nil {
            let existing = try queue(name, on: channel)
            if !declaration.passive, let complaint = Inequivalence.complaint(existing.declaration, declaration) {
                throw fail(channel, 406, complaint)
            }
            return status(of: existing)
        }
        if declaration.passive { throw fail(channel, 404, "NOT_FOUND - no queue '\(name)'") }
        let queue = MemoryQueue(declaration, owner: declaration.exclusive ? connection : nil)
        queues[name] = queue
        return status(of: queue)
    }

    private func status(of queue: MemoryQueue) -> QueueStatus {
        QueueStatus(
            name: queue.declaration.name,
            messageCount: queue.messages.count,
            consumerCount: queue.consumers.count
        )
    }

    /// The queue, if the channel may use it.
    mutating func queue(_ name: String, on channel: Int) throws(AMQPError) -> MemoryQueue {
        let connection = try self.channel(channel).connection
        guard let queue = queues[name] else { throw fail(channel, 404, "NOT_FOUND - no queue '\(name)'") }
        guard queue.owner == nil || queue.owner == connection else {
            throw fail(channel, 405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '\(name)'")
        }
        return queue
    }

    mutating func deleteQueue(
        _ name: String,
        ifUnused: Bool,
        ifEmpty: Bool,
        on channel: Int
    ) throws(AMQPError) -> Int {
        _ = try self.channel(channel)
        guard queues[name] != nil else { return 0 }
        let queue = try queue(name, on: channel)
        guard !ifUnused || queue.consumers.isEmpty else {
            throw fail(channel, 406, "PRECONDITION_FAILED - queue '\(name)' in use")
        }
        guard !ifEmpty || queue.messages.isEmpty else {
            throw fail(channel, 406, "PRECONDITION_FAILED - queue '\(name)' not empty")
        }
        removeQueue(name)
        return queue.messages.count
    }

    mutating func purgeQueue(_ name: String, on channel: Int) throws(AMQPError) -> Int {
        _ = try queue(name, on: channel)
        return queues[name]?.removeAll() ?? 0
    }

    /// Removes a queue; its consumers are told.
    mutating func removeQueue(_ name: String) {
        guard let queue = queues.removeValue(forKey: name) else { return }
        for consumer in queue.consumers {
            guard let removed = channels[consumer.channel]?.consumers.removeValue(forKey: consumer.tag) else {
                continue
            }
            effects.append { removed.onEvent(.cancelled) }
        }
        unbindAll { $0.destination == .queue(name) }
    }
}
