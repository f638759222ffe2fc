package import AMQP
package import Celery
internal import DequeModule
internal import Synchronization

/// A broker in memory that behaves as RabbitMQ does towards a client or a worker: for tests that need no server.
///
/// It has direct, fanout and topic exchanges and the default exchange; durable, exclusive, auto-delete, priority, bounded and
/// dead-lettering queues; prefetch per consumer, acknowledgements with requeueing in place, mandatory returns, confirms,
/// server-sent cancels, passive declarations, and ends channels with 403, 404, 405 and 406 where RabbitMQ does. Messages
/// expire when their turn comes. Consumers' and publishers' closures run one after the other on a task of the broker's.
///
/// A test can fail and refuse connections, block publishers and hold confirms back.
public final class InMemoryBroker: Sendable {
    private let state = Mutex(BrokerState())

    /// Makes an empty broker.
    public init() {}

    /// Changes the state, then lets the effects run in their order.
    func update<Value: Sendable, Failure: Error>(
        _ body: (inout BrokerState) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let (outcome, drains): (Result<Value, Failure>, Bool) = state.withLock { state in
            let outcome: Result<Value, Failure>
            do throws(Failure) {
                outcome = .success(try body(&state))
            } catch {
                outcome = .failure(error)
            }
            if state.effects.isEmpty || state.isDraining { return (outcome, false) }
            state.isDraining = true
            return (outcome, true)
        }
        if drains { Task.detached { self.drain() } }
        return try outcome.get()
    }

    /// Reads the state.
    func read<Value: Sendable>(_ body: (borrowing BrokerState) -> Value) -> Value {
        state.withLock { body($0) }
    }

    private func drain() {
        while true {
            let effects = state.withLock { state in
                let effects = state.effects
                state.effects = []
                state.isDraining = !effects.isEmpty
                return effects
            }
            if effects.isEmpty { return }
            for effect in effects { effect() }
        }
    }
}

extension InMemoryBroker: Broker {
    package func connect(_ role: BrokerRole) async throws(AMQPError) -> any BrokerConnection {
        let (id, ended) = try update { state throws(AMQPError) in try state.connect() }
        return InMemoryConnection(broker: self, id: id, ended: ended)
    }
}
