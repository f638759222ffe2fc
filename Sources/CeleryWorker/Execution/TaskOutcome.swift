import Celery
import CeleryProtocol
import FoundationEssentials

/// How a run of a task ended.
///
/// What is large is boxed: every running task has room for several of these in its frames.
enum TaskOutcome: Sendable {
    /// It returned this value.
    case success(JSONValue)
    /// It failed.
    indirect case failure(Failure)
    /// It wants to run again.
    indirect case retry(Retrial)
    /// It wants no outcome.
    case ignore
    /// It refuses its message.
    case reject(Reject)
    /// A cold shutdown, or the loss of its channel, cancelled it.
    case cancelled
    /// It was revoked with the wish to end it, by the signal of this name.
    case revoked(signal: String)
    /// The process that ran it has died.
    case lost(WorkerLoss)

    /// An exception with its traceback.
    struct Failure: Sendable {
        let exception: ExceptionInfo
        let traceback: String?
        /// Whether a time limit ended the run.
        var isTimeout = false
        /// Whether the task has announced errors of this kind (Celery's `throws`): they are logged without traceback.
        var isExpected = false
        /// The positions of the errbacks that were called where the body failed.
        var calledErrbacks: [Int] = []
    }

    /// A wish to run again: ``Retry`` with its cause in the form of the wire.
    struct Retrial: Sendable {
        var after: Duration?
        var eta: Date?
        /// Why; the failure of the task when the limit is exceeded.
        var cause: Failure?
        var args: [JSONValue]?
        var kwargs: JSONObject?
        /// What else changes: queue, priority, time limits and headers.
        var options = TaskOptions()
    }

    /// The death of the process that ran the body.
    struct WorkerLoss: Sendable, Hashable {
        /// What became of the process, in billiard's words: `signal 11 (SIGSEGV)`, `exitcode 70`.
        let reason: String
        /// How often this task has brought down its process, where a guard counts; more than it allows ends the task.
        var isPoisonous = false
    }
}

extension TaskOutcome.Failure {
    /// The failure that an error thrown by a task means.
    init(_ error: any Error, of task: WorkerTask) {
        exception = ExceptionInfo(mapping: error)
        traceback = Traceback.text(of: error, as: exception, task: task.name)
        isExpected = task.expectedErrors.match(error)
    }

    /// A failure that the worker itself finds while the task runs.
    init(_ exception: ExceptionInfo, of task: WorkerTask) {
        self.exception = exception
        traceback = Traceback.text(of: exception, task: task.name)
        isExpected = task.expectedErrors.match(exception)
    }

    /// A failure that the worker itself finds.
    ///
    /// At a hard limit the body is not asked where it was: there is no traceback, as with Celery.
    init(_ exception: ExceptionInfo, task: String, isTimeout: Bool = false) {
        self.exception = exception
        traceback = isTimeout ? nil : Traceback.text(of: exception, task: task)
        self.isTimeout = isTimeout
    }
}
