import Synchronization

/// A value that is set once and that any number of tasks may wait for.
///
/// Setting it again does nothing, so several parties may race to set it: the first one wins.
final class Gate<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var observers: [@Sendable (Value) -> Void] = []
    }

    private let state = Mutex(State())

    /// Sets the value and wakes whoever waits; a no-op if it is set already.
    func open(_ value: Value) {
        let observers = state.withLock { state -> [@Sendable (Value) -> Void] in
            guard state.value == nil else { return [] }
            state.value = value
            defer { state.observers = [] }
            return state.observers
        }
        for observer in observers { observer(value) }
    }

    /// The value, or nil while it is not set.
    var value: Value? { state.withLock { $0.value } }

    /// Calls the closure once: now if the value is set, else when it is.
    ///
    /// The closure has to be quick.
    func whenOpen(_ observer: @escaping @Sendable (Value) -> Void) {
        let value = state.withLock { state -> Value? in
            if state.value == nil { state.observers.append(observer) }
            return state.value
        }
        if let value { observer(value) }
    }

    /// Waits until the value is set.
    ///
    /// Cancellation does not end the wait.
    func wait() async -> Value {
        await withCheckedContinuation { continuation in
            whenOpen { continuation.resume(returning: $0) }
        }
    }

    /// Waits until the value is set or the waiting task is cancelled; nil then.
    func waitUnlessCancelled() async -> Value? {
        let race = Gate<Value?>()
        whenOpen { race.open($0) }
        return await withTaskCancellationHandler {
            await race.wait()
        } onCancel: {
            race.open(nil)
        }
    }

    /// Waits until the value is set, but no longer than this; nil then.
    func wait(limit: Duration) async -> Value? {
        let race = Gate<Value?>()
        whenOpen { race.open($0) }
        let alarm = Alarm.after(limit) { race.open(nil) }
        defer { alarm.cancel() }
        return await race.wait()
    }
}

extension Gate where Value == Void {
    /// Opens a gate that carries no value.
    func open() { open(()) }

    /// Whether the gate is open.
    var isOpen: Bool { value != nil }
}
