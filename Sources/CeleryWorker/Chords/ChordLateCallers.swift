import DequeModule

/// Remembers who waits for members that were missing when their chord failed: their results still come in, and belong to
/// no chord any more.
///
/// Bounded: the oldest are forgotten.
struct ChordLateCallers: Sendable {
    let capacity: Int
    private var callers: [String: String] = [:]
    /// The members in the order in which they were told; also some of those that are gone.
    private var order: Deque<String> = []

    init(capacity: Int = 0) {
        self.capacity = max(0, capacity)
    }

    /// Who waits for a member.
    subscript(id: String) -> String? { callers[id] }

    mutating func insert(_ replyTo: String, of id: String) {
        guard capacity > 0 else { return }
        if callers.updateValue(replyTo, forKey: id) == nil { order.append(id) }
        while order.count > capacity, let oldest = order.popFirst() { callers[oldest] = nil }
    }

    /// Forgets a member, and answers who has waited for it.
    mutating func remove(_ id: String) -> String? { callers.removeValue(forKey: id) }
}
