import Celery
import Logging
import Synchronization

/// Prints events as lines until a signal ends it, as `celery events --dump` does.
struct EventPrinter: Sendable {
    let configuration: CeleryConfiguration
    let logger: Logger

    /// Prints; returns after SIGINT or SIGTERM.
    ///
    /// - Throws: ``CeleryError`` where the broker refuses.
    func run() async throws {
        let output = ConsoleStream.output
        output.writeLine("-> evdump: starting capture...")
        let broker = try BrokerSettings.redacted(configuration)
        let state = Mutex((hasConnected: false, isDown: false))
        let receiver = try EventReceiver(configuration: configuration, logger: logger) { status in
            let line: String? = state.withLock { state in
                guard case .disconnected(let error) = status else {
                    state = (true, false)
                    return nil
                }
                defer { state.isDown = true }
                // One line for each outage, not for each try.
                if state.isDown { return nil }
                if state.hasConnected { return "-> Connection lost, attempting reconnect" }
                return "-> Cannot connect to \(broker): \(error.message).\nTrying again until it can be reached."
            }
            if let line { output.writeLine(line) }
        }
        let printing = Task {
            var dump = EventDump()
            for try await event in receiver { output.writeLine(dump.line(event)) }
        }
        let trap = SignalTrap([.interrupt, .terminate]) { _ in printing.cancel() }
        defer { trap.stop() }
        try await printing.value
    }
}
