import AMQPValues
import Celery
import CeleryProtocol

extension ExceptionInfo {
    /// The exception that a caller sees for an error that a task threw.
    ///
    /// A `TaskError` and the failure of another task keep their names. Any other Swift error is reported under its
    /// type's name and Swift module, with its description as the only argument.
    init(mapping error: any Error) {
        switch error {
        case let error as TaskError: self.init(error)
        case let error as TaskFailure: self.init(error)
        case let error as Reject: self = .rejected(reason: error.reason)
        default: self.init(swiftError: error)
        }
    }

    /// The exception of a `TaskError`, verbatim.
    init(_ error: TaskError) {
        self.init(type: error.type, module: error.module, arguments: error.arguments)
    }

    private init(_ failure: TaskFailure) {
        self.init(type: failure.type, module: failure.module, arguments: failure.arguments)
    }

    private init(swiftError error: any Error) {
        let (module, name) = Self.names(of: Swift.type(of: error))
        self.init(type: name, module: module, arguments: [.string(String(describing: error))])
    }

    /// Module and name of a Swift type; of a type inside of a function only what the program's text calls it.
    private static func names(of type: any Error.Type) -> (module: String, name: String) {
        var parts = String(reflecting: type).split(separator: ".").map(String.init)
        parts.removeAll { $0.hasPrefix("(") || $0.hasSuffix(")") }
        guard parts.count > 1 else { return ("Swift", parts.first ?? "Error") }
        return (parts[0], parts.dropFirst().joined(separator: "."))
    }
}

extension ExceptionInfo {
    /// Nobody has registered the task.
    static func notRegistered(_ task: String) -> ExceptionInfo {
        ExceptionInfo(type: "NotRegistered", module: "celery.exceptions", arguments: [.string(task)])
    }

    /// The task was revoked, or its expiry has passed.
    static func revoked(_ reason: String) -> ExceptionInfo {
        ExceptionInfo(type: "TaskRevokedError", module: "celery.exceptions", arguments: [.string(reason)])
    }

    /// The process that ran the task has died.
    ///
    /// - Parameter reason: what became of it, in billiard's words.
    static func workerLost(_ reason: String) -> ExceptionInfo {
        ExceptionInfo(
            type: "WorkerLostError",
            module: "billiard.exceptions",
            arguments: [.string("Worker exited prematurely: \(reason).")]
        )
    }

    /// The task refused its message for good.
    static func rejected(reason: String) -> ExceptionInfo {
        ExceptionInfo(type: "Reject", module: "celery.exceptions", arguments: [.string(reason), false])
    }

    /// The task ran into its hard time limit.
    static func timeLimitExceeded(_ limit: Duration) -> ExceptionInfo {
        ExceptionInfo(
            type: "TimeLimitExceeded",
            module: "billiard.exceptions",
            arguments: [Int(exactly: limit.seconds).map(JSONValue.int) ?? .double(limit.seconds)]
        )
    }

    /// The worker was shut down cold, or lost its connection, while the task ran; what Celery reports with the RETRY state.
    static let cancelled = ExceptionInfo(
        type: "Retry",
        module: "celery.exceptions",
        arguments: ["Retry(Retry(...), None, None)", .null, .null]
    )

    /// The retries of the task are used up.
    static func maxRetriesExceeded(
        name: String,
        id: String,
        args: [JSONValue],
        kwargs: JSONObject
    ) -> ExceptionInfo {
        let call = "args:\(PythonRepr.arguments(args)) kwargs:\(PythonRepr.keywords(kwargs))"
        return ExceptionInfo(
            type: "MaxRetriesExceededError",
            module: "celery.exceptions",
            arguments: [.string("Can't retry \(name)[\(id)] \(call)")]
        )
    }

    /// A message that cannot be run, in the terms of the exceptions that Celery and kombu have for it.
    init(_ error: ProtocolError) {
        switch error.code {
        case .contentDisallowed, .unsupportedContentType:
            self.init(type: "ContentDisallowed", module: "kombu.exceptions", arguments: [.string(error.message)])
        case .notATriple, .unknownMessage, .missingHeader, .wrongHeaderType, .invalidArguments, .invalidEmbed,
            .invalidSignature, .invalidDate:
            self.init(type: "InvalidTaskError", module: "celery.exceptions", arguments: [.string(error.message)])
        default:
            self.init(type: "DecodeError", module: "kombu.exceptions", arguments: [.string(error.message)])
        }
    }

    /// Why what follows a task could not be sent, in the terms of kombu.
    init(sending error: CeleryError) {
        switch error.code {
        case .connection, .closed, .cancelled, .unroutable, .queueFull, .topology, .timeout:
            self.init(type: "OperationalError", module: "kombu.exceptions", arguments: [.string(error.description)])
        default:
            self.init(type: "ValueError", module: "builtins", arguments: [.string(error.description)])
        }
    }
}
