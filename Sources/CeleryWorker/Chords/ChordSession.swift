import Synchronization

/// One channel on which a collector queue is owned; over as soon as it is known to be gone.
///
/// Whoever publishes for the chords on it looks first: an owner that has lost the queue should leave them to the next one.
/// One that does not know yet that it has may do everything twice, with the same ids.
final class ChordSession: Sendable {
    let source: ConsumerSource
    private let over = Atomic(false)

    init(_ source: ConsumerSource) {
        self.source = source
    }

    var isOver: Bool { over.load(ordering: .acquiring) }

    func end() { over.store(true, ordering: .releasing) }
}
