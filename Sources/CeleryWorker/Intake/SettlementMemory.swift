import AMQPValues
import DequeModule

/// How runs were to be settled whose channel was gone by then, each until the broker delivers its message again.
///
/// Bounded: the oldest go first. A message that comes back after that runs a second time.
struct SettlementMemory {
    private let capacity: Int
    private var settlements: [TaskKey: Settlement] = [:]
    /// Keys in the order in which they came; some are not remembered any more.
    private var order: Deque<TaskKey> = []

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    var count: Int { settlements.count }

    /// Remembers a settlement.
    ///
    /// A requeue needs no memory: the broker has the message back, and it is to run.
    mutating func remember(_ key: TaskKey, _ settlement: Settlement) {
        guard settlement != .reject(requeue: true) else { return }
        if settlements.updateValue(settlement, forKey: key) == nil { order.append(key) }
        while settlements.count > capacity, let oldest = order.popFirst() { settlements[oldest] = nil }
        if order.count > 2 * capacity { forgetTakenKeys() }
    }

    /// Takes out what is remembered of the key: it stands for one delivery.
    mutating func take(_ key: TaskKey) -> Settlement? {
        guard !settlements.isEmpty else { return nil }
        return settlements.removeValue(forKey: key)
    }

    private mutating func forgetTakenKeys() {
        var seen: Set<TaskKey> = []
        order.removeAll { settlements[$0] == nil || !seen.insert($0).inserted }
    }
}
