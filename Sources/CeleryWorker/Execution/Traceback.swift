import Celery
import CeleryProtocol

/// Texts in the shape of a Python traceback.
///
/// Celery, Flower and log tools look for its first and last line.
enum Traceback {
    /// The traceback of an error that a task threw.
    ///
    /// Swift errors know no call stack; a `TaskError` knows its place.
    static func text(of error: any Error, as exception: ExceptionInfo, task: String) -> String {
        if let failure = error as? TaskFailure, let traceback = failure.traceback { return traceback }
        guard let error = error as? TaskError else { return text(of: exception, task: task) }
        return text(of: exception, task: task, file: error.file, line: error.line)
    }

    /// The traceback of an exception that the worker itself raises for a task.
    static func text(
        of exception: ExceptionInfo,
        task: String,
        file: String = "<swift>",
        line: Int = 1
    ) -> String {
        """
        Traceback (most recent call last):
          File "\(file)", line \(line), in \(task)
        \(lastLine(of: exception))

        """
    }

    /// The last line, as Python prints it: a built-in exception without module, no colon without a message.
    static func lastLine(of exception: ExceptionInfo) -> String {
        let module = exception.module.flatMap { $0 == "builtins" ? nil : $0 + "." } ?? ""
        let message = exception.message
        return message.isEmpty ? module + exception.type : "\(module)\(exception.type): \(message)"
    }
}
