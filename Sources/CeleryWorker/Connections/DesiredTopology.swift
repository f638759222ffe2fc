import AMQP
import Celery

/// What a worker wants to be there and to consume from, whatever connection it has.
///
/// A pure value: it may change at any time, and `AppliedTopology` tells what to do on the connection of the moment.
struct DesiredTopology: Sendable, Hashable {
    /// Exchanges that are declared although no queue of ours is bound to them, in this order.
    private(set) var exchanges: [ExchangeDeclaration] = []
    /// Queues that are declared and bound without being consumed, in this order.
    private(set) var queues: [Queue] = []
    /// The consumers, in the order in which they were added.
    private(set) var consumers: [DesiredConsumer] = []

    /// Wants an exchange; one of the same name is replaced.
    mutating func add(_ exchange: ExchangeDeclaration) {
        exchanges.removeAll { $0.name == exchange.name }
        exchanges.append(exchange)
    }

    /// Wants a queue that is not consumed; one of the same name is replaced.
    mutating func add(_ queue: Queue) {
        queues.removeAll { $0.name == queue.name }
        queues.append(queue)
    }

    /// Wants a consumer; one of the same name is replaced where it stands.
    mutating func add(_ consumer: DesiredConsumer) {
        if let index = consumers.firstIndex(where: { $0.name == consumer.name }) {
            consumers[index] = consumer
        } else {
            consumers.append(consumer)
        }
    }

    /// Wants a consumer no longer; answers whether there was one.
    @discardableResult
    mutating func remove(_ name: DesiredConsumer.Name) -> Bool {
        let before = consumers.count
        consumers.removeAll { $0.name == name }
        return consumers.count < before
    }

    /// Gives a consumer another credit; answers whether there is one.
    @discardableResult
    mutating func setCredit(_ credit: Int, of name: DesiredConsumer.Name) -> Bool {
        guard let index = consumers.firstIndex(where: { $0.name == name }) else { return false }
        consumers[index].credit = credit
        return true
    }

    /// The queues that tasks are consumed from.
    var taskQueues: [Queue] { consumers.filter { $0.role == .tasks }.map(\.queue) }
}
