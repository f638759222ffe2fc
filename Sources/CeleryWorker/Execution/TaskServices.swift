import CeleryProtocol
import Logging

/// What running tasks use of their worker.
final class TaskServices: Sendable {
    let hostname: String
    let logger: Logger
    let finisher: Finisher
    let sender: TaskSender

    init(hostname: String, logger: Logger, finisher: Finisher, sender: TaskSender) {
        self.hostname = hostname
        self.logger = logger
        self.finisher = finisher
        self.sender = sender
    }

    /// A logger whose lines carry the identity of the task.
    func logger(for envelope: TaskEnvelope) -> Logger {
        var logger = logger
        logger.handler = TaskLogHandler(base: logger.handler, envelope: envelope)
        return logger
    }
}
