import Synchronization

/// Waits until the broker has answered for several reports, and knows whether an outage has lost one of them.
final class ReportCount: Sendable {
    private let left: Atomic<Int>
    private let hasLost = Atomic(false)
    private let action: @Sendable (Bool) -> Void

    /// Waits for so many answers; calls the closure at once where there are none to come.
    init(_ count: Int, then action: @escaping @Sendable (_ isLost: Bool) -> Void) {
        left = Atomic(count)
        self.action = action
        if count <= 0 { action(false) }
    }

    /// Takes an answer in.
    func answered(isLost: Bool) {
        if isLost { hasLost.store(true, ordering: .relaxed) }
        guard left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        action(hasLost.load(ordering: .relaxed))
    }
}
