import Synchronization

/// What a consumer has delivered, counted where the connection reads at the cost of two relaxed accesses for each batch.
final class ConsumerGauge: Sendable {
    private let total: WorkerCounters.Counter
    /// The first delivery's tag; 0 while there was none.
    private let first = Atomic<UInt64>(0)

    /// Makes the gauge of one consumer, which adds to a count that goes on over all consumers of its queue.
    init(adding total: WorkerCounters.Counter) {
        self.total = total
    }

    /// The tag of the first delivery on the channel; nil while there was none.
    var firstTag: UInt64? {
        let tag = first.load(ordering: .relaxed)
        return tag == 0 ? nil : tag
    }

    /// Counts a batch; called by one thread at a time.
    func add(_ count: Int, firstTag: UInt64) {
        total.add(count)
        if first.load(ordering: .relaxed) == 0 { first.store(firstTag, ordering: .relaxed) }
    }
}
