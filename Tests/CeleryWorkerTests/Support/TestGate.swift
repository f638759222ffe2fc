import Dispatch
import Synchronization

/// Holds tasks up until a test opens it.
final class TestGate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var blocked = 0
    }

    private let state = Mutex(State())
    private let semaphore = DispatchSemaphore(value: 0)

    func open() {
        let (waiters, blocked) = state.withLock { state in
            state.isOpen = true
            defer {
                state.waiters = []
                state.blocked = 0
            }
            return (state.waiters, state.blocked)
        }
        for waiter in waiters { waiter.resume() }
        for _ in 0..<blocked { semaphore.signal() }
    }

    /// Suspends until the gate is open.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Blocks the thread until the gate is open.
    func block() {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.blocked += 1 }
            return state.isOpen
        }
        if !isOpen { semaphore.wait() }
    }
}
