public import AMQPValues
public import CeleryProtocol
public import FoundationEssentials

/// Thrown by a task to be run again later, under the same id.
///
/// Celery's rules hold (`celery.app.task.Task.retry`): without a time the task's `retryDelay` applies; when the limit of
/// retries is exceeded the task fails with `cause`, or with `MaxRetriesExceededError` where there is none.
public struct Retry: Error, Sendable {
    /// How long to wait before the next run; nil for the task's `retryDelay`.
    public var after: Duration?
    /// When to run next, in place of `after`.
    public var eta: Date?
    /// Why: reported with the RETRY state, and as the failure when the limit is exceeded.
    public var cause: (any Error)?
    /// How many retries this run allows; nil for the task's `maxRetries`.
    public var max: Int?
    /// Positional arguments for the next run; nil keeps those of this one.
    public var args: [JSONValue]?
    /// Keyword arguments for the next run; nil keeps those of this one.
    public var kwargs: JSONObject?
    /// Another queue for the next run; nil for where the message came from.
    public var queue: String?
    /// Another priority for the next run; nil keeps that of the message.
    public var priority: UInt8?
    /// Another hard time limit for the next run; nil keeps that of the message.
    public var timeLimit: Duration?
    /// Another soft time limit for the next run; nil keeps that of the message.
    public var softTimeLimit: Duration?
    /// Further headers for the next run's message; one that it has is replaced.
    public var headers: FieldTable = [:]

    /// Makes a retry after a while.
    public init(after: Duration? = nil, cause: (any Error)? = nil, max: Int? = nil) {
        self.after = after
        self.cause = cause
        self.max = max
    }

    /// Makes a retry at a given time.
    public init(at eta: Date, cause: (any Error)? = nil, max: Int? = nil) {
        self.eta = eta
        self.cause = cause
        self.max = max
    }
}

/// Thrown by a task to refuse its message.
///
/// With `requeue` the message goes back to its queue, without a result. Without it the message goes to the dead-letter
/// exchange where there is one, and the caller sees a failure of the type `Reject`. A task with early acknowledgement
/// has no message any more: it can only fail.
public struct Reject: Error, Sendable {
    /// Why, for the log and the caller.
    public var reason: String
    /// Whether the message goes back to its queue.
    public var requeue: Bool

    /// Makes a refusal.
    public init(_ reason: String, requeue: Bool = false) {
        self.reason = reason
        self.requeue = requeue
    }
}

/// Thrown by a task to end without any outcome: its message is acknowledged and nobody is told.
public struct Ignore: Error, Sendable {
    /// Makes it.
    public init() {}
}
