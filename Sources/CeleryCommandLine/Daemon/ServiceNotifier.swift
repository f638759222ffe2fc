import CSystemShims
import CeleryWorker

/// Tells a service manager how the worker is: systemd's `sd_notify` protocol.
///
/// Nothing is sent where nobody asked for it (`NOTIFY_SOCKET`).
struct ServiceNotifier: Sendable, Hashable {
    private let address: String?
    /// How often the manager wants a sign of life; nil where it wants none.
    let watchdogInterval: Duration?

    /// Reads `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    init(_ variables: CommandEnvironment, process: Int32) {
        address = variables[.notifySocket]
        let isMeant = variables[.watchdogProcess].map { $0 == "\(process)" } ?? true
        let microseconds = variables[.watchdogInterval].flatMap { Int64($0) } ?? 0
        watchdogInterval = address != nil && isMeant && microseconds > 0 ? .microseconds(microseconds / 2) : nil
    }

    /// The worker consumes.
    func ready() { send("READY=1\nSTATUS=Consuming") }

    /// The worker is about to end.
    func stopping() { send("STOPPING=1\nSTATUS=Waiting for running tasks") }

    /// The worker is about to start anew under the same process id.
    func restarting() { send("STATUS=Restarting") }

    /// A sign of life.
    func alive() { send("WATCHDOG=1") }

    private func send(_ text: String) {
        guard let address else { return }
        // Who does not listen cannot be told that either.
        _ = swc_notify(address, text)
    }
}
