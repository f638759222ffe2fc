import Synchronization

/// Does something once, when it was counted down to zero.
final class LastCall: Sendable {
    private let left: Atomic<Int>
    private let action: @Sendable () -> Void

    /// Starts at this number, which has to be greater than zero.
    init(_ count: Int, then action: @escaping @Sendable () -> Void) {
        left = Atomic(count)
        self.action = action
    }

    /// Counts one down.
    func decrement() {
        if left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { action() }
    }
}
