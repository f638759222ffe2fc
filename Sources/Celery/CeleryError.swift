internal import AMQP

/// What went wrong in a client or a worker, apart from the failure of a task, which is a ``TaskFailure``.
///
/// The description carries no payload and no secret.
public struct CeleryError: Error, Sendable {
    /// The kind of an error.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name, as in the static members.
        public let description: String

        package init(description: String) { self.description = description }

        /// A setting has a value that cannot be used.
        public static let invalidConfiguration = Code(description: "invalidConfiguration")
        /// An option of a send has a value that cannot be used.
        public static let invalidOption = Code(description: "invalidOption")
        /// A nested signature cannot be read or cannot be sent.
        public static let invalidSignature = Code(description: "invalidSignature")
        /// A queue is not among `task_queues`, and missing ones are not created (Celery's `QueueNotFound`).
        public static let queueNotFound = Code(description: "queueNotFound")
        /// An argument cannot be written as JSON.
        public static let encoding = Code(description: "encoding")
        /// A result cannot be read as the type that was asked for.
        public static let decoding = Code(description: "decoding")
        /// A result message cannot be read at all.
        public static let malformedResult = Code(description: "malformedResult")
        /// The broker cannot be reached, or the connection broke too often (Celery's `OperationalError`).
        public static let connection = Code(description: "connection")
        /// The broker refused a declaration: the queue or exchange exists with other settings, or is locked.
        public static let topology = Code(description: "topology")
        /// No queue took the message, or its exchange does not exist.
        public static let unroutable = Code(description: "unroutable")
        /// A queue took no further message: it is full, and declared with `x-overflow: reject-publish`.
        public static let queueFull = Code(description: "queueFull")
        /// A message is larger than AMQP, the broker or ``CeleryConfiguration/publishMaxBodySize`` allow.
        public static let messageTooLarge = Code(description: "messageTooLarge")
        /// A result did not come in time, and the task is untouched; or the broker did not take a message in time.
        public static let timeout = Code(description: "timeout")
        /// The result was ignored by the send, so that none will come.
        public static let resultIgnored = Code(description: "resultIgnored")
        /// A worker was connected and consumed nothing for too long (`workerWatchdogTimeout`).
        public static let consumingStopped = Code(description: "consumingStopped")
        /// The child processes of a worker cannot be started.
        public static let childStartFailed = Code(description: "childStartFailed")
        /// A task in the worker's own process ignored its cancellation for too long (`restartTimeout`).
        public static let taskAbandoned = Code(description: "taskAbandoned")
        /// The client has been shut down.
        public static let closed = Code(description: "closed")
        /// The caller's Swift task was cancelled.
        public static let cancelled = Code(description: "cancelled")
    }

    /// The kind of the error.
    public let code: Code
    /// What happened, for people.
    public let message: String
    /// The error below this one, where there is one.
    public let underlying: (any Error)?
    /// File in which the error was made.
    public let file: String
    /// Line at which the error was made.
    public let line: Int

    /// Makes an error.
    public init(
        _ code: Code,
        _ message: String,
        underlying: (any Error)? = nil,
        file: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.underlying = underlying
        self.file = file
        self.line = line
    }
}

extension CeleryError: CustomStringConvertible {
    /// Code, message and the error below on one line.
    public var description: String {
        guard let underlying else { return "\(code): \(message)" }
        return "\(code): \(message) (\(Self.summary(of: underlying)))"
    }

    /// The text of an error of our own modules, which hold no payload, and only the type of any other.
    private static func summary(of error: any Error) -> String {
        switch error {
        case let error as AMQPError: error.description
        case let error as ProtocolError: error.description
        case let error as CeleryError: error.description
        default: String(describing: type(of: error))
        }
    }
}
