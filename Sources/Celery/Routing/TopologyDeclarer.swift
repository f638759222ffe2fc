package import AMQP
internal import Synchronization

/// Declares exchanges, queues and bindings, each once per connection.
///
/// Declarations run on a channel of their own, since one that does not fit what is there ends its channel.
package final class TopologyDeclarer: Sendable {
    fileprivate struct State {
        var ready: Set<Item> = []
        var pending: [Item: Pending<Void>] = [:]
    }

    fileprivate enum Item: Hashable {
        case queue(String)
        case exchange(String)
    }

    private let connection: any BrokerConnection
    private let state = Mutex(State())

    package init(connection: any BrokerConnection) {
        self.connection = connection
    }

    /// Declares a queue with its exchange and bindings, unless it was done on this connection.
    ///
    /// - Throws: ``CeleryError``: `.topology` where the broker refuses, `.connection`, or `.cancelled`.
    package func declare(_ queue: Queue) async throws(CeleryError) {
        if queue.noDeclare { return }
        try await once(.queue(queue.name)) { channel throws(AMQPError) in
            try await Self.declare(queue, on: channel)
        }
    }

    /// Checks that an exchange exists, unless it was done on this connection: a publish to one that does not would end the
    /// channel, and everything else in flight on it.
    ///
    /// - Throws: ``CeleryError``: `.unroutable` where it does not exist, `.connection`, or `.cancelled`.
    package func checkExchange(_ name: String) async throws(CeleryError) {
        if name.isEmpty || name.hasPrefix("amq.") { return }
        try await once(.exchange(name)) { channel throws(AMQPError) in
            try await channel.declareExchange(ExchangeDeclaration(name: name, passive: true))
        }
    }

    /// Declares a queue on a channel, whatever was done before.
    package static func declare(_ queue: Queue, on channel: any BrokerChannel) async throws(AMQPError) {
        try await declare(queue.exchange, on: channel)
        _ = try await channel.declareQueue(queue.declaration)
        if let exchange = queue.exchange, !exchange.name.isEmpty {
            try await channel.bindQueue(
                queue.name,
                to: exchange.name,
                routingKey: queue.routingKey ?? "",
                arguments: queue.bindingArguments
            )
        }
        for binding in queue.bindings {
            try await declare(binding.exchange, on: channel)
            try await channel.bindQueue(
                queue.name,
                to: binding.exchange.name,
                routingKey: binding.routingKey,
                arguments: binding.arguments
            )
        }
    }

    /// The default exchange and the broker's own are there already.
    private static func declare(_ exchange: ExchangeDeclaration?, on channel: any BrokerChannel) async throws(AMQPError)
    {
        guard let exchange, !exchange.name.isEmpty, !exchange.name.hasPrefix("amq.") else { return }
        try await channel.declareExchange(exchange)
    }

    private func once(
        _ item: Item,
        _ work: @escaping @Sendable (any BrokerChannel) async throws(AMQPError) -> Void
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
        _ work: @Sendable (any BrokerChannel) async throws(AMQPError) -> Void,
        _ pending: Pending<Void>
    ) async {
        let outcome: Result<Void, CeleryError>
        do throws(AMQPError) {
            let channel = try await connection.openChannel()
            try await work(channel)
            await channel.close()
            outcome = .success(())
        } catch {
            outcome = .failure(CeleryError(error, item.complaint))
        }
        state.withLock { state in
            state.pending[item] = nil
            if case .success = outcome { state.ready.insert(item) }
        }
        pending.settle(outcome)
    }
}

extension TopologyDeclarer.Item {
    fileprivate var complaint: String {
        switch self {
        case .queue(let name): "queue '\(name)' cannot be declared"
        case .exchange(let name): "exchange '\(name)' cannot be published to"
        }
    }
}
