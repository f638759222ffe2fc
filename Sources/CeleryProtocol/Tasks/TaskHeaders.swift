public import AMQPValues

/// The headers of a task message of protocol 2.
///
/// They tell a worker all that it needs before the body is read: which task, when, how often tried, and where it belongs
/// in a workflow. Encoding writes every header in Celery's order and with Celery's AMQP types; decoding relies on neither.
/// Source: `celery.app.amqp.AMQP.as_task_v2`.
public struct TaskHeaders: Sendable, Hashable {
    /// Language that the task is written in.
    ///
    /// Celery reserves the header for routing between languages; no worker checks it.
    public var lang = "py"
    /// The task's name.
    public var task: String
    /// The task's id: usually a UUID, any text is legal.
    public var id: String
    /// Name to show in logs and events in place of the task's.
    public var shadow: String?
    /// Earliest time of the run, in ISO 8601; without an offset it is UTC.
    public var eta: String?
    /// Time after which the task must not start, in ISO 8601; without an offset it is UTC.
    public var expires: String?
    /// Id of the group that the task is a member of.
    public var group: String?
    /// Position within the group.
    public var groupIndex: Int?
    /// How often the task was retried; 0 at first, never negative after decoding.
    public var retries = 0
    /// The hard time limit as it stands on the wire; `.none` falls back to the worker's.
    public var hardLimit = TimeLimit.none
    /// The soft time limit as it stands on the wire; `.none` falls back to the worker's.
    public var softLimit = TimeLimit.none
    /// Id of the first task of the workflow.
    public var rootID: String?
    /// Id of the task that sent this one.
    public var parentID: String?
    /// The positional arguments in Python's notation, for logs and monitors.
    public var argsrepr: String?
    /// The keyword arguments in Python's notation, for logs and monitors.
    public var kwargsrepr: String?
    /// Node name of the sender, such as `gen123@host`.
    public var origin: String?
    /// Whether no result is wanted; nil leaves it to the task's own setting.
    public var ignoreResult: Bool?
    /// How often the task has been replaced by another signature.
    public var replacedTaskNesting = 0
    /// Names of the stamps; nil when the task was never stamped.
    public var stampedHeaders: [String]?
    /// The stamps' values.
    public var stamps = FieldTable()
    /// Content type of the body's compression; nil when the body is not compressed.
    public var compression: String?
    /// All other headers in the order of the wire.
    ///
    /// One with the name of a header above overrides it when encoded, as `apply_async(headers=…)` does.
    public var custom = FieldTable()

    /// Makes the headers of a task that is the first of its workflow.
    public init(task: String, id: String) {
        self.task = task
        self.id = id
        rootID = id
    }
}

extension TaskHeaders {
    /// The hard time limit in seconds.
    ///
    /// Whole numbers are written as integers, as Python callers usually give them.
    public var timeLimit: Double? {
        get { hardLimit.seconds }
        set { hardLimit = TimeLimit(seconds: newValue) }
    }

    /// The soft time limit in seconds.
    ///
    /// Whole numbers are written as integers, as Python callers usually give them.
    public var softTimeLimit: Double? {
        get { softLimit.seconds }
        set { softLimit = TimeLimit(seconds: newValue) }
    }

    /// The name that logs and events show.
    public var displayName: String { if let shadow, !shadow.isEmpty { shadow } else { task } }
}
