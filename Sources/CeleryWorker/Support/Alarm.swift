import Dispatch

/// Runs a short closure once after a delay, on a thread that no task can block.
///
/// `Task.sleep` needs a thread of Swift's global pool to come back; a task body that blocks those threads would hold up
/// every deadline of the worker. This timer has a queue of its own.
struct Alarm: Sendable {
    private static let queue = DispatchQueue(label: "swcelery.worker.alarm")

    /// A delay that can be called off.
    final class Pending: Sendable {
        private let source: Gate<Void> = Gate()

        fileprivate init() {}

        /// Prevents the closure from running, if it has not begun.
        func cancel() { source.open() }

        fileprivate var isCancelled: Bool { source.isOpen }
    }

    /// Runs the closure after the delay; a negative delay counts as none.
    @discardableResult
    static func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> Pending {
        let pending = Pending()
        queue.asyncAfter(deadline: .now() + delay.dispatchInterval) {
            if !pending.isCancelled { body() }
        }
        return pending
    }

    /// Suspends the task for this long, or until it is cancelled.
    static func sleep(_ delay: Duration) async {
        let gate = Gate<Void>()
        let pending = after(delay) { gate.open() }
        await withTaskCancellationHandler {
            await gate.wait()
        } onCancel: {
            gate.open()
        }
        pending.cancel()
    }
}

extension Duration {
    /// The duration for Dispatch: not negative, at most ten years.
    var dispatchInterval: DispatchTimeInterval {
        .milliseconds(Int(min(max(seconds * 1000, 0), 315_360_000_000).rounded(.up)))
    }

    /// The duration in seconds.
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
