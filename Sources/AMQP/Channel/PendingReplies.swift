internal import DequeModule

/// The requests of one channel that wait for their answer.
///
/// AMQP answers in the order of the requests.
package struct PendingReplies<Waiter> {
    private struct Entry {
        var waiter: Waiter
        var deadline: ContinuousClock.Instant
    }

    private var entries = Deque<Entry>()

    package init() {}

    /// Whether a request waits.
    package var isEmpty: Bool { entries.isEmpty }

    /// When the oldest request has waited too long.
    package var deadline: ContinuousClock.Instant? { entries.first?.deadline }

    /// Takes note of a request.
    package mutating func append(_ waiter: Waiter, deadline: ContinuousClock.Instant) {
        entries.append(Entry(waiter: waiter, deadline: deadline))
    }

    /// The request that an answer belongs to.
    package mutating func popFirst() -> Waiter? {
        entries.popFirst()?.waiter
    }

    /// All requests, which will get no answer.
    package mutating func removeAll() -> [Waiter] {
        defer { entries.removeAll() }
        return entries.map(\.waiter)
    }
}
