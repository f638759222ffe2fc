public import Celery
public import CeleryProtocol

/// Called with a failure and a context: the failed task's, or its own where it runs as a task.
typealias Errback = @Sendable (FailureReport, TaskContext) async throws -> Void

/// What an errback is told of a failed task.
public struct FailureReport: Sendable {
    /// The failed task's id.
    public let id: String
    /// Exception and traceback; nil where the errback came as a message, which has only the id.
    public let failure: TaskFailure?
    /// The failed task's name; nil where the errback came as a message.
    public let task: String?
    /// The arguments that are stored with the errback.
    public let args: [JSONValue]
    /// The keyword arguments that are stored with the errback.
    public let kwargs: JSONObject

    /// The traceback, where it is known.
    public var traceback: String? { failure?.traceback }

    /// The report of a failure in this process.
    init(_ invocation: Invocation, _ failure: TaskOutcome.Failure, errback: SignatureWire) {
        let headers = invocation.envelope.headers
        id = headers.id
        task = headers.task
        self.failure = TaskFailure(
            ResultMessage(
                taskID: headers.id,
                state: .failure,
                result: failure.exception.json,
                traceback: failure.traceback
            )
        )
        args = errback.args
        kwargs = errback.kwargs
    }

    /// The report of a message: the failed task's id is its first argument, unless the errback is immutable, and its parent.
    init(_ context: TaskContext, _ args: [JSONValue], _ kwargs: JSONObject) throws(TaskError) {
        let first = args.first?.stringValue
        guard let id = context.parentID ?? first else {
            throw TaskError(type: "TypeError", "an errback needs the id of the failed task")
        }
        self.id = id
        task = nil
        failure = nil
        self.args = first == id ? Array(args.dropFirst()) : args
        self.kwargs = kwargs
    }
}
