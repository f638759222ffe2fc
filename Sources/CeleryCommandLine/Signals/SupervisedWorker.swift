import Celery
import CeleryWorker
import FoundationEssentials
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
    /// How the process is to go on when the worker has ended.
    struct End: Sendable, Hashable {
        /// The exit code.
        let status: CommandStatus
        /// Whether to start anew instead.
        let restarts: Bool
    }

    /// How long a detached worker may take to consume before it counts as up nevertheless: it waits for its broker.
    private static let startPatience = Duration.seconds(10)

    let worker: Worker
    let logger: Logger
    /// Where SIGUSR1's list goes, whatever the log's level is.
    let report: LogDestination
    let notifier: ServiceNotifier
    let remapsTerminate: Bool
    /// What has to be done before the process ends at once.
    let release: @Sendable () -> Void

    /// Runs the worker to its end and says how the process is to go on.
    func run() async -> End {
        let watch = ShutdownWatch(self)
        // Who closes a terminal does not want its worker to live on in the background.
        let signals = ShutdownSequence.Signal.allCases.filter { $0 != .hangUp || !ConsoleStream.output.isTerminal }
        let trap = SignalTrap(signals) { watch.receive($0) }
        let announcements = announce()
        defer {
            for task in announcements { task.cancel() }
        }
        do {
            try await worker.run()
            let end = watch.end
            // Until the process has become a new one, a further SIGHUP must not end it.
            if !end.restarts { trap.stop() }
            return end
        } catch {
            logger.critical("Unrecoverable error: \(error)")
            DetachedStart.reportFailure("Unrecoverable error: \(error)")
            // A body that ignores its cancellation cannot be killed but with its process.
            let isAbandoned = (error as? CeleryError)?.code == .taskAbandoned
            if isAbandoned, watch.wasAskedToEnd {
                trap.stop()
                return watch.end
            }
            if !isAbandoned { trap.stop() }
            return End(status: CommandStatus(endOfWorker: error), restarts: isAbandoned)
        }
    }

    /// Tells whoever started the worker that it is up, and the service manager that it lives.
    private func announce() -> [Task<Void, Never>] {
        let ready = Task { [worker, notifier] in
            await worker.waitUntilReady()
            // The wait also ends with a worker that never came so far.
            guard worker.statistics.consumers > 0 else { return }
            notifier.ready()
            DetachedStart.reportUp()
        }
        let patience = Task {
            guard (try? await Task.sleep(for: Self.startPatience)) != nil else { return }
            DetachedStart.reportUp()
        }
        guard let interval = notifier.watchdogInterval else { return [ready, patience] }
        let alive = Task { [worker, notifier] in
            while !Task.isCancelled {
                await worker.answer()
                notifier.alive()
                try? await Task.sleep(for: interval)
            }
        }
        return [ready, patience, alive]
    }
}

/// Applies the sequence to one worker.
///
/// Signals come one after the other on the queue of their trap.
private final class ShutdownWatch: Sendable {
    private let supervised: SupervisedWorker
    private let sequence: Mutex<ShutdownSequence>

    init(_ supervised: SupervisedWorker) {
        self.supervised = supervised
        sequence = Mutex(ShutdownSequence(remapsTerminate: supervised.remapsTerminate))
    }

    var end: SupervisedWorker.End {
        sequence.withLock { SupervisedWorker.End(status: $0.status, restarts: $0.restarts) }
    }

    /// Whether a signal has told the worker to end, and not to start anew.
    var wasAskedToEnd: Bool { sequence.withLock { $0.wasAskedToEnd } }

    func receive(_ signal: ShutdownSequence.Signal) {
        switch sequence.withLock({ $0.receive(signal) }) {
        case .warm(let messages): shutDown(.warm, messages)
        case .cold(let messages): shutDown(.cold, messages)
        case .cancel(let messages): shutDown(.immediate, messages)
        case .restart:
            supervised.worker.triggerShutdown(.warm)
            supervised.notifier.restarting()
            say(["Restarting celery worker (\(CommandLine.arguments.first ?? ""))"])
        case .report: report()
        case .exit:
            supervised.release()
            _exit(end.status.code)
        case .none: break
        }
    }

    private func shutDown(_ kind: Worker.Shutdown, _ messages: [String]) {
        // First: who reads what is said below may have stopped reading.
        supervised.worker.triggerShutdown(kind)
        supervised.notifier.stopping()
        say(messages)
    }

    private func report() {
        let worker = supervised.worker
        let text = RunningTaskReport(node: worker.hostname, tasks: worker.runningTasks, now: Date()).text
        supervised.report.write(Array(text.utf8))
    }

    /// Writes to standard output, where Celery's worker has these messages.
    private func say(_ messages: [String]) {
        for message in messages { ConsoleStream.output.writeLine("\n" + message) }
    }
}
