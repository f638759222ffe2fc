/// A task that ended without a result: it failed, or it was revoked or has expired.
public struct TaskFailure: Error, Sendable, Hashable {
    /// The task's id.
    ///
    /// Of a chain it may be an earlier task's, which was revoked.
    public let id: String
    /// `.failure` or `.revoked`.
    public let state: TaskState
    /// The exception's class without its module, such as `ValueError`.
    public let type: String
    /// The module of the exception's class, such as `builtins`.
    public let module: String?
    /// What the exception says.
    public let message: String
    /// What the exception was made with.
    public let arguments: [JSONValue]
    /// The traceback that the worker sent.
    public let traceback: String?

    /// Makes a failure.
    public init(
        id: String,
        state: TaskState = .failure,
        type: String,
        module: String? = nil,
        message: String = "",
        arguments: [JSONValue] = [],
        traceback: String? = nil
    ) {
        self.id = id
        self.state = state
        self.type = type
        self.module = module
        self.message = message
        self.arguments = arguments
        self.traceback = traceback
    }

    /// Reads the failure of a result message.
    ///
    /// What is no exception's map is kept as the only argument.
    package init(_ result: ResultMessage) {
        let exception =
            result.exception
            ?? ExceptionInfo(type: "Exception", module: "builtins", arguments: [result.result])
        self.init(
            id: result.taskID,
            state: result.state,
            type: exception.type,
            module: exception.module,
            message: exception.message,
            arguments: exception.arguments,
            traceback: result.traceback
        )
    }
}

extension TaskFailure: CustomStringConvertible {
    /// State, id, exception and message on one line.
    ///
    /// The message is the task's own text, as Python's tracebacks show it.
    public var description: String {
        let name = module.map { $0 == "builtins" ? type : "\($0).\(type)" } ?? type
        return "\(state) of task \(id): \(name)\(message.isEmpty ? "" : ": \(message)")"
    }
}
