import DequeModule

/// Results of unknown chords, the oldest first: their manifest may still come, behind them.
struct ChordOrphans: Sendable {
    struct Entry: Sendable {
        let part: ChordPart
        /// When it came, in seconds since 1970.
        let since: Double
    }

    private var entries: Deque<Entry> = []
    /// The size of all.
    private(set) var bytes = 0

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// When the oldest one came.
    var oldest: Double? { entries.first.map { $0.since } }

    mutating func append(_ part: ChordPart, now: Double) {
        entries.append(Entry(part: part, since: now))
        bytes += part.bytes
    }

    mutating func popFirst() -> ChordPart? {
        guard let entry = entries.popFirst() else { return nil }
        bytes -= entry.part.bytes
        return entry.part
    }

    /// Takes out the results of these tasks, in their order.
    mutating func take(_ ids: Set<String>) -> [ChordPart] {
        let taken = entries.filter { ids.contains($0.part.id) }.map { $0.part }
        entries.removeAll { ids.contains($0.part.id) }
        for part in taken { bytes -= part.bytes }
        return taken
    }
}
