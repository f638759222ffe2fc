import Synchronization

/// A value that is set once and that any number of tasks may wait for.
///
/// Setting it again does nothing, so several parties may race to set it: the first one wins.
final class Gate<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var observers: [UInt64: @Sendable (Value) -> Void] = [:]
        var lastObserver: UInt64 = 0
    }

    /// Names an observer, so that it can be removed.
    struct Observer: Sendable {
        fileprivate let number: UInt64
    }

    private let state = Mutex(State())

    /// Sets the value and wakes whoever waits; a no-op if it is set already.
    func open(_ value: Value) {
        let observers = state.withLock { state -> [UInt64: @Sendable (Value) -> Void] in
            guard state.value == nil else { return [:] }
            state.value = value
            defer { state.observers = [:] }
            return state.observers
        }
        for (_, observer) in observers.sorted(by: { $0.key < $1.key }) { observer(value) }
    }

    /// The value, or nil while it is not set.
    var value: Value? { state.withLock { $0.value } }

    /// Calls the closure once: now if the value is set, else when it is.
    ///
    /// The closure has to be quick. It stays until the gate opens or it is removed: who looks at a gate again and again has to
    /// remove what it has left there.
    @discardableResult
    func whenOpen(_ observer: @escaping @Sendable (Value) -> Void) -> Observer {
        let (value, name) = state.withLock { state -> (Value?, Observer) in
            state.lastObserver += 1
            if state.value == nil { state.observers[state.lastObserver] = observer }
            return (state.value, Observer(number: state.lastObserver))
        }
        if let value { observer(value) }
        return name
    }

    /// Removes an observer, if it was not called yet.
    func remove(_ observer: Observer) {
        state.withLock { _ = $0.observers.removeValue(forKey: observer.number) }
    }

    /// How many observers wait.
    var observerCount: Int { state.withLock { $0.observers.count } }

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
        let observer = whenOpen { race.open($0) }
        defer { remove(observer) }
        return await withTaskCancellationHandler {
            await race.wait()
        } onCancel: {
            race.open(nil)
        }
    }

    /// Waits until the value is set, but no longer than this; nil then.
    func wait(limit: Duration) async -> Value? {
        let race = Gate<Value?>()
        let observer = whenOpen { race.open($0) }
        let alarm = Alarm.after(limit) { race.open(nil) }
        defer {
            alarm.cancel()
            remove(observer)
        }
        return await race.wait()
    }
}

extension Gate where Value == Void {
    /// Opens a gate that carries no value.
    func open() { open(()) }

    /// Whether the gate is open.
    var isOpen: Bool { value != nil }
}
