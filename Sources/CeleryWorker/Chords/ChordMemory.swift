import DequeModule

/// Remembers the last ended chords by the ids of their manifests.
struct ChordMemory: Sendable {
    let capacity: Int
    private var ids: Set<String> = []
    private var order: Deque<String> = []

    init(capacity: Int = 0) {
        self.capacity = max(0, capacity)
    }

    func contains(_ id: String) -> Bool { ids.contains(id) }

    mutating func insert(_ id: String) {
        guard capacity > 0, ids.insert(id).inserted else { return }
        order.append(id)
        if order.count > capacity, let oldest = order.popFirst() { ids.remove(oldest) }
    }
}
