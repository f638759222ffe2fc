internal import Synchronization

/// An outcome that many may wait for and that comes once.
///
/// Waiting ends early when the waiting task is cancelled.
package final class Pending<Value: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Value, CeleryError>, Never>

    private enum State {
        case open(waiters: [Int: Waiter], next: Int)
        case settled(Result<Value, CeleryError>)
    }

    private let state = Mutex(State.open(waiters: [:], next: 0))

    package init() {}

    /// Sets the outcome; a second one is ignored.
    package func settle(_ outcome: Result<Value, CeleryError>) {
        let waiters: [Waiter] = state.withLock { state in
            guard case .open(let waiters, _) = state else { return [] }
            state = .settled(outcome)
            return Array(waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    /// Waits for the outcome.
    ///
    /// - Throws: the outcome's error, or ``CeleryError/Code/cancelled``.
    package func value() async throws(CeleryError) -> Value {
        let ticket = state.withLock { state in
            guard case .open(let waiters, let next) = state else { return -1 }
            state = .open(waiters: waiters, next: next + 1)
            return next
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in enter(continuation, ticket) }
        } onCancel: {
            leave(ticket)
        }
        return try outcome.get()
    }

    private func enter(_ waiter: Waiter, _ ticket: Int) {
        let outcome: Result<Value, CeleryError>? = state.withLock { state in
            switch state {
            case .settled(let outcome):
                return outcome
            case .open(var waiters, let next):
                waiters[ticket] = waiter
                state = .open(waiters: waiters, next: next)
                return nil
            }
        }
        if let outcome {
            waiter.resume(returning: outcome)
        } else if Task.isCancelled {
            // The cancellation handler may have run before the waiter was there to be found.
            leave(ticket)
        }
    }

    private func leave(_ ticket: Int) {
        let waiter: Waiter? = state.withLock { state in
            guard case .open(var waiters, let next) = state else { return nil }
            let waiter = waiters.removeValue(forKey: ticket)
            state = .open(waiters: waiters, next: next)
            return waiter
        }
        waiter?.resume(returning: .failure(.waitCancelled))
    }
}

extension CeleryError {
    /// The caller's task was cancelled.
    static var waitCancelled: CeleryError { CeleryError(.cancelled, "the waiting task was cancelled") }
}
