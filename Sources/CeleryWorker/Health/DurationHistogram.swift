/// Counts durations by their size.
package final class DurationHistogram: Sendable {
    /// The counts at about one moment.
    package struct Snapshot: Sendable, Hashable {
        /// How many durations were at most as long as each of ``DurationHistogram/bounds``, and were longer than the one before;
        /// the last count is of those beyond all.
        package let counts: [Int]
        /// The sum of all, in seconds.
        package let sum: Double
    }

    /// The sizes in seconds, from quick tasks to those of an hour.
    package static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600,
    ]
    private static let limits = bounds.map { Int64($0 * 1_000_000) }

    private let buckets = (0...bounds.count).map { _ in WorkerCounters.Counter() }
    private let sum = WorkerCounters.Counter()

    init() {}

    /// Counts a duration.
    func add(microseconds: Int64) {
        let limits = Self.limits
        var place = 0
        while place < limits.count, microseconds > limits[place] { place += 1 }
        buckets[place].add()
        sum.add(Int(clamping: microseconds))
    }

    package var snapshot: Snapshot {
        Snapshot(counts: buckets.map(\.count), sum: Double(sum.count) / 1_000_000)
    }
}
