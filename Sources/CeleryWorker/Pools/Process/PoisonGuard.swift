/// Counts how often each task has brought down its process.
///
/// A task with late acknowledgement that kills whatever runs it would come back for ever. Counts are kept by id for a
/// while, and for a bounded number of tasks. Pure: times come from outside.
struct PoisonGuard {
    private struct Entry {
        var deaths: Int
        var last: ContinuousClock.Instant
    }

    /// How many tasks are remembered.
    static let capacity = 10_000
    /// How long a task is remembered after its last death.
    static let memory: Duration = .seconds(86_400)

    private let limit: Int
    private let capacity: Int
    private let memory: Duration
    private var entries: [String: Entry] = [:]

    /// Makes a guard.
    ///
    /// - Parameters:
    ///   - limit: how many deaths end a task; 0 for any number.
    ///   - capacity: how many tasks are remembered.
    ///   - memory: how long a task is remembered.
    init(limit: Int, capacity: Int = Self.capacity, memory: Duration = Self.memory) {
        self.limit = limit
        self.capacity = max(1, capacity)
        self.memory = memory
    }

    /// So many failed deliveries are no shutdowns and lost connections any more.
    static let farTooMany = 20

    /// How many tasks are remembered now.
    var count: Int { entries.count }

    /// Counts a death.
    ///
    /// - Parameters:
    ///   - id: the task's.
    ///   - earlier: failed deliveries that the broker has counted (`x-delivery-count`): deaths on other workers are among
    ///     them, and messages that were given back without harm.
    ///   - atLeast: how often the task may die whatever the limit is.
    ///   - now: the present.
    /// - Returns: how often the task has brought down a process, and whether that is as often as it may.
    mutating func died(_ id: String, earlier: Int, atLeast: Int = 0, now: ContinuousClock.Instant) -> (
        deaths: Int, isPoisonous: Bool
    ) {
        guard limit > 0 else { return (1, false) }
        forgetOld(now)
        let own = (entries[id]?.deaths ?? 0) + 1
        let deaths = earlier >= Self.farTooMany ? max(own, earlier + 1) : own
        if deaths >= max(limit, atLeast) {
            entries[id] = nil
            return (deaths, true)
        }
        entries[id] = Entry(deaths: deaths, last: now)
        return (deaths, false)
    }

    /// Forgets a task that has ended well.
    mutating func ended(_ id: String) {
        if !entries.isEmpty { entries[id] = nil }
    }

    private mutating func forgetOld(_ now: ContinuousClock.Instant) {
        guard entries.count >= capacity else { return }
        entries = entries.filter { now - $0.value.last < memory }
        guard entries.count >= capacity, let oldest = entries.min(by: { $0.value.last < $1.value.last }) else { return }
        entries[oldest.key] = nil
    }
}
