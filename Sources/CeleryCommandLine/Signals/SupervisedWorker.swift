import CeleryWorker
import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Runs a worker that signals end, step by step as ``ShutdownSequence`` tells.
struct SupervisedWorker {
    let worker: Worker
    let logger: Logger

    /// Runs the worker to its end and says with which code the process is to end.
    func run() async -> CommandStatus {
        let watch = ShutdownWatch(worker: worker)
        let signals = SignalTrap(ShutdownSequence.Signal.allCases) { watch.receive($0) }
        defer { signals.stop() }
        do {
            try await worker.run()
            return watch.status
        } catch {
            logger.critical("Unrecoverable error: \(error)")
            return CommandStatus(endOfWorker: error)
        }
    }
}

/// Applies the sequence to one worker.
///
/// Signals come one after the other on the queue of their trap.
private final class ShutdownWatch: Sendable {
    private let worker: Worker
    private let sequence = Mutex(ShutdownSequence())

    init(worker: Worker) {
        self.worker = worker
    }

    var status: CommandStatus { sequence.withLock { $0.status } }

    func receive(_ signal: ShutdownSequence.Signal) {
        let action = sequence.withLock { $0.receive(signal) }
        switch action {
        case .warm(let messages):
            say(messages)
            worker.triggerShutdown(.warm)
        case .cold(let messages):
            say(messages)
            worker.triggerShutdown(.cold)
        case .exit: _exit(status.code)
        case .none: break
        }
    }

    /// Writes to standard output, where Celery's worker has these messages.
    private func say(_ messages: [String]) {
        for message in messages { ConsoleStream.output.writeLine("\n" + message) }
    }
}
