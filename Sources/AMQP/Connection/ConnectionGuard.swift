internal import CSystemShims
internal import Synchronization

/// The thread that ends connections whose own thread cannot: it may hang in a call of librabbitmq's.
///
/// One for the process, asleep while there is no connection. It costs the connections nothing: it asks the system about
/// their sockets, and reads a counter.
final class ConnectionGuard: Sendable {
    static let shared = ConnectionGuard()

    private struct State {
        var watches: [WeakWatch] = []
        var isRunning = false
        var wake = swc_wake_t(read_end: -1, write_end: -1)
    }

    private struct WeakWatch {
        weak var watch: ConnectionWatch?
    }

    private let state = Mutex(State())

    private init() {}

    /// Adds a connection; it leaves by itself when its watch ends.
    func add(_ watch: ConnectionWatch) throws(AMQPError) {
        let error = state.withLock { state -> AMQPError? in
            state.watches.append(WeakWatch(watch: watch))
            do throws(AMQPError) {
                if !state.isRunning { try start(&state) }
                return nil
            } catch {
                return error
            }
        }
        if let error { throw error }
        wakeUp()
    }

    /// Lets the thread look at once.
    func wakeUp() {
        let wake = state.withLock { $0.wake }
        if wake.write_end >= 0 { swc_wake_signal(wake) }
    }

    private func start(_ state: inout State) throws(AMQPError) {
        if state.wake.read_end < 0 { state.wake = swc_wake_open() }
        let wake = state.wake
        guard wake.read_end >= 0 else { throw AMQPError(.connectionFailed, "no descriptor left for a wake") }
        try DetachedThread.start(name: "amqp-guard") { self.run(wake) }
        state.isRunning = true
    }

    private func run(_ wake: swc_wake_t) {
        while true {
            let patience = lookAtAll()
            _ = swc_wake_wait(wake, -1, patience.map { $0.wholeMilliseconds } ?? -1)
        }
    }

    private func lookAtAll() -> Duration? {
        let watches = state.withLock { $0.watches.compactMap(\.watch) }
        let now = SuspendingClock.now
        var next: Duration?
        var ended: Set<ObjectIdentifier> = []
        for watch in watches {
            if let patience = watch.look(at: now) {
                next = min(next ?? patience, patience)
            } else {
                ended.insert(ObjectIdentifier(watch))
            }
        }
        state.withLock { state in
            state.watches.removeAll { $0.watch.map { ended.contains(ObjectIdentifier($0)) } ?? true }
        }
        return next
    }
}
