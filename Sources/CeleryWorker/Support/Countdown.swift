import Synchronization

/// Opens a gate when it was counted down to zero.
final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let gate = Gate<Void>()

    /// Starts at this number; zero or less is open at once.
    init(_ count: Int) {
        left = Atomic(count)
        if count <= 0 { gate.open() }
    }

    /// Counts one down.
    func decrement() {
        if left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { gate.open() }
    }

    /// Calls the closure once at zero; it has to be quick.
    func whenZero(_ body: @escaping @Sendable () -> Void) { gate.whenOpen { body() } }

    /// Waits for zero.
    func wait() async { await gate.wait() }
}
