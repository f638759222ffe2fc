package import AMQP
internal import Synchronization

/// What a process has learned about queues and exchanges, over all of its connections: each is compared with what is there
/// once, and a difference is told once.
///
/// Bounded: when it holds too much it begins anew, which costs a few comparisons.
package final class TopologyMemory: Sendable {
    /// What was declared.
    enum Item: Hashable {
        case queue(QueueDeclaration)
        case exchange(ExchangeDeclaration)
        case binding(destination: String, source: String, routingKey: String)
    }

    /// What came of it.
    enum Note {
        /// It is as wanted.
        case asWanted
        /// It is used as it is, and may be otherwise; a difference was told.
        case adopted
        /// The broker ended the whole connection because of it.
        case refused(AMQPError)
    }

    private static let capacity = 10_000

    private let notes = Mutex<[Item: Note]>([:])

    package init() {}

    /// Whether the broker has said that a queue is just as it is declared; false where that is not known.
    package func isAsWanted(_ queue: QueueDeclaration) -> Bool {
        if case .asWanted = note(of: .queue(queue)) { true } else { false }
    }

    func note(of item: Item) -> Note? {
        notes.withLock { $0[item] }
    }

    /// Notes what came of a declaration; answers whether nothing was known before.
    @discardableResult
    func remember(_ item: Item, _ note: Note = .adopted) -> Bool {
        notes.withLock { notes in
            if notes.count >= Self.capacity { notes = [:] }
            return notes.updateValue(note, forKey: item) == nil
        }
    }
}
