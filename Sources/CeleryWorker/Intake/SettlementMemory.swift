import AMQPValues
import DequeModule

/// How runs were to be settled whose channel was gone by then, each until the broker delivers its message again.
///
/// Bounded in number, the oldest go first, and in age: somebody may send a task of the same id again, which must not be taken
/// for the old one. A message that comes back after that runs a second time.
struct SettlementMemory {
    private struct Entry {
        let settlement: Settlement
        let time: ContinuousClock.Instant
    }

    /// For how long a settlement is remembered.
    static let longestAge = Duration.seconds(3600)

    private let capacity: Int
    private var settlements: [TaskKey: Entry] = [:]
    /// Keys in the order in which they came; some are not remembered any more.
    private var order: Deque<TaskKey> = []

    init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    var count: Int { settlements.count }

    /// Remembers a settlement.
    ///
    /// A requeue needs no memory: the broker has the message back, and it is to run.
    mutating func remember(_ key: TaskKey, _ settlement: Settlement, now: ContinuousClock.Instant = .now) {
        guard settlement != .reject(requeue: true) else { return }
        let entry = Entry(settlement: settlement, time: now)
        if settlements.updateValue(entry, forKey: key) == nil { order.append(key) }
        while settlements.count > capacity, let oldest = order.popFirst() { settlements[oldest] = nil }
        if order.count > 2 * capacity { forgetTakenKeys() }
    }

    /// Takes out what is remembered of the key: it stands for one delivery.
    mutating func take(_ key: TaskKey, now: ContinuousClock.Instant = .now) -> Settlement? {
        guard !settlements.isEmpty, let entry = settlements.removeValue(forKey: key) else { return nil }
        return now - entry.time < Self.longestAge ? entry.settlement : nil
    }

    private mutating func forgetTakenKeys() {
        var seen: Set<TaskKey> = []
        order.removeAll { settlements[$0] == nil || !seen.insert($0).inserted }
    }
}
