import AMQP
import Celery

/// A step that brings a connection nearer to the desired topology.
enum TopologyChange: Sendable, Hashable {
    /// Stop a consumer; what it has delivered stays valid.
    case cancel(DesiredConsumer.Name)
    /// Declare an exchange.
    case declareExchange(ExchangeDeclaration)
    /// Declare a queue with its exchange and bindings.
    case declareQueue(Queue)
    /// Declare the consumer's queue, then consume it on a channel of its own.
    case consume(DesiredConsumer)
    /// Go on with another prefetch count.
    case setCredit(Int, of: DesiredConsumer.Name)
}

/// What has been done of the desired topology on one connection.
///
/// A pure value. A new connection begins with an empty one, so that everything is done again.
struct AppliedTopology: Sendable {
    /// The number of the connection.
    let epoch: Int
    private var exchanges: Set<ExchangeDeclaration> = []
    private var queues: Set<Queue> = []
    private var consumers: [DesiredConsumer] = []

    init(epoch: Int) {
        self.epoch = epoch
    }

    /// What is to be done, in this order: nothing is consumed before everything else is there.
    ///
    /// Exchanges and queues that are no longer wanted stay, since others may use them.
    func changes(to desired: DesiredTopology) -> [TopologyChange] {
        var cancels: [TopologyChange] = []
        var starts: [TopologyChange] = []
        for consumer in consumers where !desired.consumers.contains(where: { $0.name == consumer.name }) {
            cancels.append(.cancel(consumer.name))
        }
        for wanted in desired.consumers {
            guard let present = consumers.first(where: { $0.name == wanted.name }) else {
                starts.append(.consume(wanted))
                continue
            }
            if wanted == present { continue }
            if wanted.differsOnlyInCredit(from: present) {
                starts.append(.setCredit(wanted.credit, of: wanted.name))
            } else {
                cancels.append(.cancel(wanted.name))
                starts.append(.consume(wanted))
            }
        }
        return cancels + desired.exchanges.filter { !exchanges.contains($0) }.map { .declareExchange($0) }
            + desired.queues.filter { !queues.contains($0) }.map { .declareQueue($0) } + starts
    }

    /// Notes a change as done, or as taken care of.
    mutating func apply(_ change: TopologyChange) {
        switch change {
        case .cancel(let name): consumers.removeAll { $0.name == name }
        case .declareExchange(let exchange): exchanges.insert(exchange)
        case .declareQueue(let queue): queues.insert(queue)
        case .consume(let consumer): consumers.append(consumer)
        case .setCredit(let credit, let name):
            guard let index = consumers.firstIndex(where: { $0.name == name }) else { return }
            consumers[index].credit = credit
        }
    }
}
