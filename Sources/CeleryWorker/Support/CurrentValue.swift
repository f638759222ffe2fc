import Synchronization

/// A value that comes and goes, such as the connection of the moment, and that tasks may wait for.
final class CurrentValue<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [CheckedContinuation<Value?, Never>] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    /// The value of the moment; nil while there is none.
    var current: Value? { state.withLock { $0.value } }

    /// Sets the value and wakes whoever waits for one; nil takes it away.
    func set(_ value: Value?) {
        let waiters = state.withLock { state -> [CheckedContinuation<Value?, Never>] in
            guard !state.isClosed else { return [] }
            state.value = value
            guard value != nil else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    /// No value will ever come again: whoever waits gets nil.
    func close() {
        let waiters = state.withLock { state -> [CheckedContinuation<Value?, Never>] in
            state.isClosed = true
            state.value = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }

    /// The value, waiting for one if there is none; nil after `close`.
    func wait() async -> Value? {
        await withCheckedContinuation { continuation in
            let (value, isReady) = state.withLock { state -> (Value?, Bool) in
                if state.value == nil, !state.isClosed {
                    state.waiters.append(continuation)
                    return (nil, false)
                }
                return (state.value, true)
            }
            if isReady { continuation.resume(returning: value) }
        }
    }
}
