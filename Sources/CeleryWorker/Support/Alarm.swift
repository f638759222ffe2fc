@preconcurrency import Dispatch
import Synchronization

/// Runs a short closure once after a delay, on a thread that no task can block.
///
/// `Task.sleep` needs a thread of Swift's global pool to come back; a task body that blocks those threads would hold up
/// every deadline of the worker. This timer has a queue of its own.
struct Alarm: Sendable {
    private static let queue = DispatchQueue(label: "swcelery.worker.alarm")
    /// From this delay on a timer is worth its price: unlike a delayed block it is gone when it is called off.
    private static let shortest: Duration = .seconds(2)

    /// A delay that can be called off.
    final class Pending: Sendable {
        private struct State {
            var body: (@Sendable () -> Void)?
            var timer: (any DispatchSourceTimer)?
        }

        private let state: Mutex<State>

        fileprivate init(_ body: @escaping @Sendable () -> Void) {
            state = Mutex(State(body: body))
        }

        /// Prevents the closure from running, if it has not begun, and lets go of it.
        func cancel() { _ = take() }

        fileprivate func fire() { take()?() }

        fileprivate func start(_ delay: Duration) {
            let timer = DispatchSource.makeTimerSource(queue: Alarm.queue)
            timer.schedule(deadline: .now() + delay.dispatchInterval)
            timer.setEventHandler { self.fire() }
            state.withLock { $0.timer = timer }
            timer.resume()
        }

        private func take() -> (@Sendable () -> Void)? {
            let (body, timer) = state.withLock { state in
                defer { state = State() }
                return (state.body, state.timer)
            }
            timer?.cancel()
            return body
        }
    }

    /// Runs the closure after the delay; a negative delay counts as none.
    @discardableResult
    static func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> Pending {
        let pending = Pending(body)
        if delay >= shortest {
            pending.start(delay)
        } else {
            queue.asyncAfter(deadline: .now() + delay.dispatchInterval) { pending.fire() }
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
