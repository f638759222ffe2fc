import AMQP
import Synchronization

/// One slot of the pool inside of this process: the Swift task that runs one body after the other.
///
/// An interruption cancels that task, and with it the body that it runs. A cancelled task stays cancelled, so the slot
/// goes on in a new one afterwards. A body that ignores its cancellation for too long is abandoned: another slot takes
/// the place of this one, and nothing more is made of what the body comes to.
final class InProcessSlot: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var run: TaskRun?
        var isAbandoned = false
        /// The task was cancelled, or is about to be.
        var wasCancelled = false
    }

    private let state = Mutex(State())

    /// Goes on in a new task, which runs the closure.
    func start(on executor: any TaskExecutor, _ body: @escaping @Sendable () async -> Void) {
        // Within the lock, so that nobody interrupts the first run before the task is known. Detached: the values that were
        // local to whoever started the worker are none of the tasks' business.
        state.withLock { $0.task = Task.detached(executorPreference: executor, operation: body) }
    }

    /// Notes that the body of this run begins.
    func begin(_ run: TaskRun) {
        state.withLock { $0.run = run }
    }

    /// Notes that the body has ended; false if the slot was abandoned meanwhile.
    func end(_ run: TaskRun) -> Bool {
        state.withLock { state in
            state.run = nil
            return !state.isAbandoned
        }
    }

    /// Cancels the body of this run, if it has not ended.
    ///
    /// The task ends with this run, so that a cancellation which comes late hits no other one.
    func cancel(_ run: TaskRun) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard state.run === run else { return nil }
            state.wasCancelled = true
            return state.task
        }
        guard let task else { return }
        // On a thread of its own: this calls what the body has registered for it, which may block.
        do {
            try DetachedThread.start(name: "swcelery.cancel") { task.cancel() }
        } catch {
            task.cancel()
        }
    }

    /// Whether the slot has to go on in a new task; true once.
    func takeCancellation() -> Bool {
        state.withLock { state in
            defer { state.wasCancelled = false }
            return state.wasCancelled
        }
    }

    /// Gives the slot up if it still runs the body of this run; false if not.
    func abandon(_ run: TaskRun) -> Bool {
        state.withLock { state in
            guard state.run === run, !state.isAbandoned else { return false }
            state.isAbandoned = true
            return true
        }
    }

    /// Whether the slot was given up.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// Whether the slot was given up and its body still runs.
    var isStuck: Bool { state.withLock { $0.isAbandoned && $0.run != nil } }
}
