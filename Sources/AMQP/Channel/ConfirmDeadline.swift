/// Tells when a publish has waited for too long for its confirm.
///
/// A pure value that needs no time per publish: at each look it notes how many there were, and at the next one, a limit
/// later, none of those may be left. A publish is thus found after one limit at the earliest and two at the latest.
package struct ConfirmDeadline {
    private let limit: Duration
    private var mark: (tag: UInt64, due: ContinuousClock.Instant)?

    /// Makes the deadline; a limit of zero is none.
    package init(limit: Duration) {
        self.limit = limit
    }

    /// When to look again; nil where nothing waits.
    package var due: ContinuousClock.Instant? { mark?.due }

    /// Looks at the publishes that wait.
    ///
    /// - Parameters:
    ///   - waiting: the numbers of those that wait, from the first one on; empty for none.
    ///   - isPaused: whether the broker has asked for a pause: then it need not answer.
    ///   - now: the time; asked for only where it matters.
    /// - Returns: whether one has waited for too long.
    package mutating func look(
        waiting: Range<UInt64>,
        isPaused: Bool,
        now: () -> ContinuousClock.Instant
    ) -> Bool {
        guard limit > .zero, !waiting.isEmpty, !isPaused else {
            mark = nil
            return false
        }
        guard let mark else {
            self.mark = (waiting.upperBound, now() + limit)
            return false
        }
        let time = now()
        guard mark.due <= time else { return false }
        if waiting.lowerBound < mark.tag { return true }
        self.mark = (waiting.upperBound, time + limit)
        return false
    }
}
