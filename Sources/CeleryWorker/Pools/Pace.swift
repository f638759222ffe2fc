import Synchronization

/// How long task bodies have taken lately: a moving average that any slot may feed.
///
/// A body that does next to nothing is over before a further thread has woken up for the next one, and the two would then
/// only contend for the same locks. The average tells whether waking further slots is worth it.
final class Pace: Sendable {
    /// Bodies below this, in nanoseconds, are not worth another slot.
    private static let brief = 20_000
    /// Longer bodies count as this much, so that a single one does not weigh for long.
    private static let longest = 200_000
    /// The share of a new value is one part in this many.
    private static let memory = 16

    private let average = Atomic<Int>(longest)

    /// Takes note of a body's time.
    ///
    /// Values that other slots note at the same moment may get lost: it is an estimate.
    func note(_ runtime: Duration) {
        let (seconds, attoseconds) = runtime.components
        let nanoseconds = seconds > 0 ? Self.longest : min(Self.longest, Int(attoseconds / 1_000_000_000))
        let previous = average.load(ordering: .relaxed)
        average.store(previous + (nanoseconds - previous) / Self.memory, ordering: .relaxed)
    }

    /// Whether bodies are so short at present that one slot after the other is better than many at once.
    var isBrief: Bool { average.load(ordering: .relaxed) < Self.brief }
}
