import AMQP
import Celery
import CeleryProtocol
import Logging

/// The worker's log lines about tasks, in Celery's words: other tools parse them.
///
/// A text is put together only if its level is enabled.
struct TaskLog: Sendable {
    let logger: Logger

    private enum Key {
        static let queue = "queue"
        static let exchange = "exchange"
        static let task = "task_name"
        static let id = "task_id"
    }

    func received(_ request: TaskRequest) {
        logger.info("Task \(request.label) received")
    }

    func succeeded(_ request: TaskRequest, _ value: JSONValue, runtime: Duration) {
        logger.info("Task \(request.label) succeeded in \(runtime.seconds)s: \(PythonRepr.repr(value))")
    }

    func failed(_ request: TaskRequest, _ failure: TaskOutcome.Failure) {
        let exception = failure.exception
        if failure.isTimeout {
            return logger.error("Hard time limit (\(exception.message)s) exceeded for \(request.label)")
        }
        if failure.isExpected { return logger.info("Task \(request.label) raised expected: \(exception.pythonRepr)") }
        let traceback = failure.traceback.map { "\n\($0.trimmedEnd)" } ?? ""
        logger.error("Task \(request.label) raised unexpected: \(exception.pythonRepr)\(traceback)")
    }

    /// Celery's words.
    func softLimitPassed(_ request: TaskRequest, _ limit: Duration) {
        let seconds = limit.seconds
        let text = Int(exactly: seconds).map(String.init) ?? "\(seconds)"
        logger.warning("Soft time limit (\(text)s) exceeded for \(request.label)")
    }

    func retried(_ request: TaskRequest, _ reason: RetryReason) {
        logger.info("Task \(request.label) retry: \(reason.text)")
    }

    func ignored(_ request: TaskRequest) {
        logger.info("Task \(request.label) ignored")
    }

    func rejected(_ request: TaskRequest, _ reject: Reject) {
        let requeue = reject.requeue ? "True" : "False"
        logger.warning("Task \(request.label) reject requeue=\(requeue): \(reject.reason)")
        if reject.requeue, !request.acksLate {
            logger.warning("Task \(request.label) has no message to requeue: it was acknowledged at its start")
        }
    }

    func terminated(_ request: TaskRequest, signal: String) {
        logger.error("Task \(request.label) terminated by a revoke (\(signal))")
    }

    func lostProcess(_ request: TaskRequest, _ reason: String) {
        logger.error("Task \(request.label) goes back to its queue: its process exited prematurely: \(reason)")
    }

    /// Celery's words.
    func lostRetryFailed(_ request: TaskRequest, _ error: CeleryError) {
        logger.error("Failed to retry task \(request.label) after worker was lost", error: error)
    }

    func cancelled(_ request: TaskRequest) {
        logger.warning("Task \(request.label) cancelled by the shutdown")
    }

    /// Celery's words.
    func cancelledAfterLoss(_ request: TaskRequest) {
        logger.warning(
            "Task \(request.label) cannot be acknowledged after a connection loss since late acknowledgement is enabled for it. Terminating it instead."
        )
    }

    func heldDuplicate(_ request: TaskRequest) {
        logger.info("Task \(request.label) came again while it runs; the copy is held")
    }

    func settledDuplicate(_ request: TaskRequest, _ settlement: Settlement) {
        logger.info("Task \(request.label) has run already; the copy is settled", metadata: ["as": "\(settlement)"])
    }

    func overdue(_ request: TaskRequest, _ timeout: Duration) {
        logger.warning(
            "Task \(request.label) runs for so long that the broker will close its channel and deliver it again",
            metadata: ["consumer_timeout": "\(timeout.seconds)"]
        )
    }

    func limitExceedsTimeout(task: String, _ limit: Duration, queue: String, _ timeout: Duration) {
        logger.warning(
            "A late-acknowledged task may run for longer than the broker waits for its acknowledgement",
            metadata: [
                Key.task: "\(task)", Key.queue: "\(queue)", "time_limit": "\(limit.seconds)",
                "consumer_timeout": "\(timeout.seconds)",
            ]
        )
    }

    func unreadable(_ error: any Error) {
        logger.error("A held message cannot be read again and goes back to its queue", metadata: ["error": "\(error)"])
    }

    func heapIsFull(limit: Int) {
        logger.warning(
            "As many tasks wait for their time as worker_eta_task_limit allows: no more are fetched behind them",
            metadata: ["limit": "\(limit)"]
        )
    }

    func expired(_ request: TaskRequest) {
        logger.info("Discarding revoked task: \(request.label)")
    }

    /// Celery's words.
    func revoked(_ request: TaskRequest, _ match: Revocations.Match) {
        switch match {
        case .id: expired(request)
        case .stamp(let stamp):
            let header = PythonRepr.keywords([stamp.name: stamp.value])
            logger.info("Discarding revoked task: \(request.label) (revoked by header: \(header.loggable))")
        case .root(let root):
            logger.info("Discarding revoked task: \(request.label) (revoked with its workflow: \(root.loggable))")
        }
    }

    func linesAreFull(limit: Int) {
        logger.warning(
            "As many tasks wait for their rate limits as a worker holds: no more are fetched behind them",
            metadata: ["limit": "\(limit)"]
        )
    }

    func returned(_ request: TaskRequest, _ error: CeleryError) {
        logger.error("Task \(request.label) goes back to its queue: what follows it could not be sent", error: error)
    }

    func errbacksFailed(_ request: TaskRequest, _ error: CeleryError) {
        logger.error("Task \(request.label): its errbacks could not be sent", error: error)
    }

    /// - Parameter count: how many results this line stands for.
    func unroutable(_ request: TaskRequest?, isFinal: Bool, count: Int) {
        let level: Logger.Level = isFinal ? .warning : .debug
        let metadata: Logger.Metadata = ["results": "\(count)"]
        guard let request else {
            return logger.log(level: level, "A result has no reply queue any more", metadata: metadata)
        }
        logger.log(
            level: level,
            "Task \(request.label): its reply queue does not exist any more",
            metadata: metadata
        )
    }

    func lost(_ request: TaskRequest?, _ error: AMQPError) {
        guard let request else { return logger.error("A result could not be sent", error: error) }
        logger.error("Task \(request.label): its result could not be sent", error: error)
    }

    func unknown(_ envelope: TaskEnvelope, _ info: DeliveryInfo) {
        var metadata = place(info)
        metadata[Key.id] = "\(envelope.headers.id.loggable)"
        logger.error(
            "Received unregistered task of type '\(envelope.headers.task.loggable)'. The message has been rejected",
            metadata: metadata
        )
    }

    func refused(task: String?, id: String?, _ info: DeliveryInfo, _ error: ProtocolError) {
        var metadata = place(info)
        if let task { metadata[Key.task] = "\(task.loggable)" }
        if let id { metadata[Key.id] = "\(id.loggable)" }
        logger.error("Received invalid task message: \(error). The message has been rejected", metadata: metadata)
    }

    private func place(_ info: DeliveryInfo) -> Logger.Metadata {
        [Key.exchange: "\(info.exchange)", Key.queue: "\(info.routingKey)"]
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { properties.generalCategory == .control || properties.generalCategory == .format }
}

extension String {
    /// The text on one line and bounded, for what a stranger has put into a header.
    var loggable: String {
        if utf8.count <= 255, utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) { return self }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(255).map { $0.isControl ? " " : $0 }))
    }

    /// The text without line ends behind it.
    fileprivate var trimmedEnd: Substring {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
