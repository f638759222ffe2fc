import Synchronization

/// Decides which results without a reply queue get a line in the log: one for each queue and minute.
final class ReplyQueueWarnings: Sendable {
    private struct Entry {
        var next: ContinuousClock.Instant
        /// Results that no line has told of yet.
        var unreported = 0
    }

    private let interval: Duration
    private let capacity: Int
    private let entries = Mutex<[String: Entry]>([:])

    /// Makes the memory of so many queues.
    init(interval: Duration = .seconds(60), capacity: Int = 1_000) {
        self.interval = interval
        self.capacity = max(1, capacity)
    }

    /// Notes a result that found no queue; answers how many results a line should tell of, nil for no line now.
    func note(_ queue: String, now: ContinuousClock.Instant) -> Int? {
        entries.withLock { entries in
            if entries[queue] == nil, entries.count >= capacity {
                entries = entries.filter { $0.value.next > now }
                // So many queues vanished within a minute: their lines come again a little sooner.
                if entries.count >= capacity { entries.removeAll() }
            }
            var entry = entries[queue] ?? Entry(next: now)
            entry.unreported += 1
            defer { entries[queue] = entry }
            guard now >= entry.next else { return nil }
            entry.next = now + interval
            defer { entry.unreported = 0 }
            return entry.unreported
        }
    }
}
