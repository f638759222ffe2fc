import AMQPValues

/// What to do about messages that come again although their first delivery ran, or still runs, on this worker.
///
/// A run whose channel is lost cannot be settled; the broker delivers its message again. As long as the run goes on the
/// copy is held, then it is settled as the first delivery would have been, without a second run. Pure: the `Dispatcher`
/// performs what this says. Entries are made when a channel is lost, so that in quiet times the table is empty.
struct DuplicateTable<Delivery> {
    /// What becomes of a delivery.
    enum Decision: Hashable {
        /// Nothing is known of it: it runs.
        case run
        /// It is held until the first run has ended.
        case hold
        /// Its run has ended: it is settled at once.
        case settle(Settlement)
    }

    /// The runs of one key whose channels are lost, and what has come again of them.
    private struct Orphans {
        var runs = 0
        var held: [Delivery] = []
    }

    /// How many settlements of ended runs are remembered.
    static var defaultCapacity: Int { 10_000 }

    private var orphans: [TaskKey: Orphans] = [:]
    private var memory: SettlementMemory

    init(capacity: Int = Self.defaultCapacity) {
        memory = SettlementMemory(capacity: capacity)
    }

    /// Whether every delivery runs.
    var isEmpty: Bool { orphans.isEmpty && memory.count == 0 }

    /// How many deliveries are held.
    var heldCount: Int { orphans.values.reduce(0) { $0 + $1.held.count } }

    /// Enters a run that goes on although its channel is lost.
    mutating func orphaned(_ key: TaskKey) { orphans[key, default: Orphans()].runs += 1 }

    /// Enters a run that has ended, and whose settlement the broker may not have seen.
    mutating func remember(_ key: TaskKey, _ settlement: Settlement) { memory.remember(key, settlement) }

    /// Decides about a delivery that the broker has delivered before; it is kept if it is to be held.
    mutating func arrived(_ key: TaskKey, _ delivery: Delivery) -> Decision {
        if orphans[key] != nil {
            orphans[key]?.held.append(delivery)
            return .hold
        }
        return memory.take(key).map(Decision.settle) ?? .run
    }

    /// Takes note of the end of a run whose channel is lost, and answers what was held for it.
    ///
    /// - Parameters:
    ///   - key: the run's.
    ///   - settlement: how to settle what is held; nil if it is to run, because the first did not.
    mutating func ended(_ key: TaskKey, _ settlement: Settlement?) -> [Delivery] {
        var held: [Delivery] = []
        if var entry = orphans.removeValue(forKey: key) {
            entry.runs -= 1
            if entry.runs == 0 {
                held = entry.held
            } else {
                // Somebody has sent the same id twice: each run stands for one delivery.
                if !entry.held.isEmpty { held = [entry.held.removeFirst()] }
                orphans[key] = entry
            }
        }
        if held.isEmpty, let settlement { memory.remember(key, settlement) }
        return held
    }

    /// Takes out held deliveries that satisfy the condition; their runs stay in the table.
    mutating func removeHeld(where condition: (Delivery) -> Bool) -> [Delivery] {
        var removed: [Delivery] = []
        for (key, entry) in orphans where entry.held.contains(where: condition) {
            removed += entry.held.filter(condition)
            orphans[key]?.held.removeAll(where: condition)
        }
        return removed
    }
}
