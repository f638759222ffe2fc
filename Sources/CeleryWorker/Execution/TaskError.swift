public import CeleryProtocol

/// An exception that a task raises under a name of the caller's world, such as Python's `ValueError`.
///
/// A Python caller's `get()` raises an exception of this type if it can import it, else one that only has its name.
public struct TaskError: Error, Sendable, Hashable {
    /// Name of the exception's class, without its module.
    public let type: String
    /// Module of the class; `builtins` for Python's own exceptions.
    public let module: String
    /// What the exception is constructed with; often one text.
    public let arguments: [JSONValue]
    /// File in which the error was made, for the traceback.
    public let file: String
    /// Line at which the error was made, for the traceback.
    public let line: Int

    /// Makes an exception with the given arguments.
    public init(
        type: String,
        module: String = "builtins",
        arguments: [JSONValue],
        file: String = #fileID,
        line: Int = #line
    ) {
        self.type = type
        self.module = module
        self.arguments = arguments
        self.file = file
        self.line = line
    }

    /// Makes an exception with a text as its only argument.
    public init(
        type: String,
        module: String = "builtins",
        _ message: String,
        file: String = #fileID,
        line: Int = #line
    ) {
        self.init(type: type, module: module, arguments: [.string(message)], file: file, line: line)
    }
}

extension TaskError {
    /// What a body throws that its soft time limit has cancelled.
    static var softTimeLimitExceeded: TaskError {
        TaskError(type: "SoftTimeLimitExceeded", module: "billiard.exceptions", arguments: [], file: "<swift>", line: 1)
    }
}

extension TaskError: CustomStringConvertible {
    /// Type and arguments, as Python's `repr` of the exception would show them.
    public var description: String { ExceptionInfo(self).pythonRepr }
}
