import CeleryProtocol
import Logging
import Synchronization

/// The application's own commands that run at the moment: where all user code runs, a few at a time, none for ever.
final class OwnCommands: Sendable {
    /// How many run at a time.
    static let limit = 16
    /// How long a caller waits for one at most; it is cancelled then.
    static let patience = Duration.seconds(60)
    /// What a caller gets where too many run.
    static let tooMany = ControlAnswer.failure(
        TaskError(type: "RuntimeError", "\(limit) commands of the application run already")
    )

    private let running = Mutex(0)
    private let patience: Duration
    private let logger: Logger

    init(patience: Duration = OwnCommands.patience, logger: Logger) {
        self.patience = patience
        self.logger = logger
    }

    /// Runs a command, and tells what it comes to; false if too many run.
    func run(
        _ name: String,
        _ body: @escaping @Sendable () async -> ControlAnswer,
        onEnd: @escaping @Sendable (ControlAnswer) -> Void
    ) -> Bool {
        let mayRun = running.withLock { running in
            guard running < Self.limit else { return false }
            running += 1
            return true
        }
        guard mayRun else { return false }
        let end = Gate<ControlAnswer>()
        end.whenOpen(onEnd)
        // On Swift's own threads, as everything that applications bring along: it may block.
        let task = Task {
            end.open(await body())
            self.running.withLock { $0 -= 1 }
        }
        let alarm = Alarm.after(patience) { [patience, logger] in
            logger.error("The command \(name.loggable) did not end within \(patience.seconds) seconds")
            end.open(.failure(TaskError(type: "TimeoutError", "\(name) did not end within \(patience.seconds) s")))
            task.cancel()
        }
        end.whenOpen { _ in alarm.cancel() }
        return true
    }
}
