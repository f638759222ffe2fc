public import OrderedCollections

/// A message of the `rpc://` result backend: the state of a task and what it came to.
///
/// Source: `celery.backends.base.Backend._get_result_meta` and `celery.backends.rpc.RPCBackend._to_result`.
public struct ResultMessage: Sendable, Hashable {
    /// The task's state.
    public var state: TaskState
    /// The returned value, the map of an exception, or the meta data of a custom state.
    public var result: JSONValue
    /// The traceback as text.
    public var traceback: String?
    /// ``ResultTuple``s of the tasks that this run has sent.
    public var children: [JSONValue]
    /// When the task ended, in ISO 8601; nil for a state in which it has not.
    public var dateDone: String?
    /// Id of the group that the task is a member of.
    public var groupID: String?
    /// Id of the task that sent this one.
    public var parentID: String?
    /// What the result tells of the request; only with `result_extended`.
    public var extended: Extended?
    /// Entries that Celery does not know, in their order.
    public var extra: JSONObject
    /// The task's id.
    public var taskID: String

    /// Makes a message.
    public init(
        taskID: String,
        state: TaskState,
        result: JSONValue = .null,
        traceback: String? = nil,
        children: [JSONValue] = [],
        dateDone: String? = nil,
        groupID: String? = nil,
        parentID: String? = nil,
        extended: Extended? = nil,
        extra: JSONObject = [:]
    ) {
        self.state = state
        self.result = result
        self.traceback = traceback
        self.children = children
        self.dateDone = dateDone
        self.groupID = groupID
        self.parentID = parentID
        self.extended = extended
        self.extra = extra
        self.taskID = taskID
    }
}

extension ResultMessage {
    /// What a result tells of the request with `result_extended`.
    public struct Extended: Sendable, Hashable {
        /// The task's name.
        public var name: String?
        /// The positional arguments.
        public var args: JSONValue
        /// The keyword arguments.
        public var kwargs: JSONValue
        /// Node name of the worker.
        public var worker: String?
        /// How often the task was retried.
        public var retries: Int?
        /// Routing key that the task came with.
        public var queue: String?
        /// Names of the stamps; nil where the task was not stamped.
        public var stampedHeaders: [String]?
        /// The stamps, each of which is a key of its own on the wire.
        public var stamps: JSONObject

        /// Makes the description of a request.
        public init(
            name: String?,
            args: JSONValue = .null,
            kwargs: JSONValue = .null,
            worker: String? = nil,
            retries: Int? = nil,
            queue: String? = nil,
            stampedHeaders: [String]? = nil,
            stamps: JSONObject = [:]
        ) {
            self.name = name
            self.args = args
            self.kwargs = kwargs
            self.worker = worker
            self.retries = retries
            self.queue = queue
            self.stampedHeaders = stampedHeaders
            self.stamps = stamps
        }
    }
}

extension ResultMessage {
    /// The exception, where the state has one and ``result`` is the map of one.
    public var exception: ExceptionInfo? {
        guard state.isException else { return nil }
        return try? ExceptionInfo(decoding: result)
    }

    /// The tasks that this run has sent.
    ///
    /// - Throws: ``ProtocolError/Code/invalidResult`` where a child is not a result tuple.
    public func childResults() throws(ProtocolError) -> [ResultTuple] {
        var results: [ResultTuple] = []
        results.reserveCapacity(children.count)
        for child in children { results.append(try ResultTuple(decoding: child)) }
        return results
    }
}
