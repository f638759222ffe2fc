public import AMQP
public import FoundationEssentials

/// How a task is sent: the options of Celery's `apply_async`.
///
/// What is nil or empty comes from the task's own options, from the routes and from the configuration, in this order.
public struct TaskOptions: Sendable, Hashable {
    // MARK: Where to

    /// `queue`: name of the queue.
    public var queue: String?
    /// `exchange`: exchange to publish to instead of the queue's.
    public var exchange: String?
    /// `routing_key`: key to publish with instead of the queue's.
    public var routingKey: String?
    /// `priority`: 0 to 255, for queues with `x-max-priority`.
    public var priority: UInt8?
    /// `delivery_mode`: whether the message survives a restart of the broker.
    public var deliveryMode: DeliveryMode?

    // MARK: When

    /// `countdown`: so long after sending the task starts at the earliest; wins over `eta`.
    public var countdown: Duration?
    /// `eta`: time at which the task starts at the earliest.
    public var eta: WireDate?
    /// `expires`: when a task that has not started is dropped.
    public var expires: Expiry?
    /// `time_limit`: hard limit of the task's run.
    public var timeLimit: Duration?
    /// `soft_time_limit`: limit after which the task is told to end.
    public var softTimeLimit: Duration?

    // MARK: What travels along

    /// `task_id`: the task's id; a fresh UUID by default.
    ///
    /// Of a chain it names the last task.
    public var taskID: String?
    /// `headers`: further headers of the message.
    public var headers: FieldTable
    /// `shadow`: another name of the task for logs and monitors.
    public var shadow: String?
    /// `argsrepr`: what logs and monitors show for the positional arguments.
    public var argsrepr: String?
    /// `kwargsrepr`: what logs and monitors show for the keyword arguments.
    public var kwargsrepr: String?
    /// `message_id`, `timestamp`, `type`, `user_id`, `app_id`.
    public var properties: MessageProperties
    /// `group_id`: the group that the task belongs to.
    public var groupID: String?
    /// `group_index`: the task's position in its group.
    public var groupIndex: Int?
    /// `root_id`: the first task of the workflow; the task itself by default.
    public var rootID: String?
    /// `parent_id`: the task that sends this one.
    public var parentID: String?

    // MARK: What follows

    /// `link`: tasks that get the result when the task succeeds.
    public var link: [Signature]
    /// `link_error`: tasks that get the task's id when it fails.
    public var linkError: [Signature]
    /// `ignore_result`: whether no result is wanted.
    public var ignoreResult: Bool?
    /// `reply_to`: queue for the result, if not the client's own.
    ///
    /// The client does not read such a queue.
    public var replyTo: String?

    // MARK: Sending

    /// `retry`: whether the publish is tried again when the connection fails.
    public var retry: Bool?
    /// `retry_policy`: how it is tried again.
    public var retryPolicy: RetryPolicy?
    /// How long the send may take until the broker has taken the message, all tries included.
    ///
    /// A message whose send has timed out may still arrive. Not an option of Celery: it is not written into signatures.
    public var publishTimeout: Duration?

    // MARK: Set by canvas and workers

    /// The further steps of a chain, the next one last.
    package var chain: [JSONValue]?
    /// The body of the chord that the task is a part of.
    package var chord: JSONValue?
    /// How often the task was retried.
    package var retries: Int?
    /// How often the task was replaced.
    package var replacedTaskNesting: Int?
    /// Who sent the task first.
    package var origin: String?
    /// The names of the stamps; nil for a task that was never stamped.
    package var stampedHeaders: [String]?
    /// The stamps.
    package var stamps: JSONObject

    /// Makes options; what is left out is decided elsewhere.
    public init(
        queue: String? = nil,
        exchange: String? = nil,
        routingKey: String? = nil,
        priority: UInt8? = nil,
        deliveryMode: DeliveryMode? = nil,
        countdown: Duration? = nil,
        eta: Date? = nil,
        expires: Expiry? = nil,
        timeLimit: Duration? = nil,
        softTimeLimit: Duration? = nil,
        taskID: String? = nil,
        headers: FieldTable = [:],
        shadow: String? = nil,
        argsrepr: String? = nil,
        kwargsrepr: String? = nil,
        properties: MessageProperties = MessageProperties(),
        groupID: String? = nil,
        groupIndex: Int? = nil,
        rootID: String? = nil,
        parentID: String? = nil,
        link: [Signature] = [],
        linkError: [Signature] = [],
        ignoreResult: Bool? = nil,
        replyTo: String? = nil,
        retry: Bool? = nil,
        retryPolicy: RetryPolicy? = nil,
        publishTimeout: Duration? = nil
    ) {
        self.queue = queue
        self.exchange = exchange
        self.routingKey = routingKey
        self.priority = priority
        self.deliveryMode = deliveryMode
        self.countdown = countdown
        self.eta = eta.map { WireDate($0) }
        self.expires = expires
        self.timeLimit = timeLimit
        self.softTimeLimit = softTimeLimit
        self.taskID = taskID
        self.headers = headers
        self.shadow = shadow
        self.argsrepr = argsrepr
        self.kwargsrepr = kwargsrepr
        self.properties = properties
        self.groupID = groupID
        self.groupIndex = groupIndex
        self.rootID = rootID
        self.parentID = parentID
        self.link = link
        self.linkError = linkError
        self.ignoreResult = ignoreResult
        self.replyTo = replyTo
        self.retry = retry
        self.retryPolicy = retryPolicy
        self.publishTimeout = publishTimeout
        stamps = [:]
    }
}
