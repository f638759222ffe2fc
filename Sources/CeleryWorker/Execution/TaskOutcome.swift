import CeleryProtocol

/// How a run of a task ended.
enum TaskOutcome: Sendable {
    /// It returned this value.
    case success(JSONValue)
    /// It failed.
    case failure(Failure)
    /// It wants to run again.
    case retry(Retry)
    /// It wants no outcome.
    case ignore
    /// It refuses its message.
    case reject(Reject)
    /// A cold shutdown cancelled it.
    case cancelled

    /// An exception with its traceback.
    struct Failure: Sendable {
        let exception: ExceptionInfo
        let traceback: String?
        /// Whether a time limit ended the run.
        var isTimeout = false
    }
}

extension TaskOutcome.Failure {
    /// The failure that an error thrown by a task means.
    init(_ error: any Error, task: String) {
        exception = ExceptionInfo(mapping: error)
        traceback = Traceback.text(of: error, as: exception, task: task)
    }

    /// A failure that the worker itself finds.
    init(_ exception: ExceptionInfo, task: String, isTimeout: Bool = false) {
        self.exception = exception
        traceback = Traceback.text(of: exception, task: task)
        self.isTimeout = isTimeout
    }
}
