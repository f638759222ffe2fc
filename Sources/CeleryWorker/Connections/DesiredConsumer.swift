import AMQP
import Celery

/// A consumer that a worker wants to have, whatever connection it has.
struct DesiredConsumer: Sendable, Hashable {
    /// What a consumer is for; consumers of different roles never share a channel.
    enum Role: String, Sendable, Hashable {
        /// Task messages, which go through the intake and are settled by the ledger.
        case tasks
        /// Results of chords' tasks: kept until the chord is complete, and settled by its collector.
        case chords
        /// Commands of remote control.
        case control
        /// Events of other workers.
        case events
    }

    /// Names a consumer in the topology.
    struct Name: Sendable, Hashable {
        let role: Role
        let queue: String
    }

    /// The queue, declared with its exchange and bindings before it is consumed.
    var queue: Queue
    /// What the consumer is for.
    var role: Role
    /// What its tags begin with; a number follows.
    var tagPrefix: String
    /// The prefetch count: deliveries that may be unsettled; 0 for no bound.
    var credit: Int
    /// Whether the broker forgets deliveries as soon as it has sent them.
    var noAck: Bool
    /// Whether no other consumer of the queue is allowed.
    var exclusive: Bool
    /// Arguments of the consumer, such as `x-priority`.
    var arguments: FieldTable

    init(
        _ queue: Queue,
        role: Role = .tasks,
        tagPrefix: String = "w",
        credit: Int,
        noAck: Bool = false,
        exclusive: Bool = false,
        arguments: FieldTable? = nil
    ) {
        self.queue = queue
        self.role = role
        self.tagPrefix = tagPrefix
        self.credit = credit
        self.noAck = noAck
        self.exclusive = exclusive
        self.arguments = arguments ?? queue.consumerArguments
    }

    /// The consumer's name in the topology.
    var name: Name { Name(role: role, queue: queue.name) }

    /// Whether only the credit tells the two apart, which needs no new channel.
    func differsOnlyInCredit(from other: DesiredConsumer) -> Bool {
        var adjusted = other
        adjusted.credit = credit
        return self == adjusted && credit != other.credit
    }
}
