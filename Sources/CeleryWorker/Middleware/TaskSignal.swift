public import CeleryProtocol

/// What handlers of the signals about tasks are told.
public enum TaskSignal {
    /// A task that has come from the broker.
    public struct Received: Sendable {
        /// The headers of its message.
        public let headers: TaskHeaders
        /// Where it was delivered from.
        public let deliveryInfo: DeliveryInfo
    }

    /// A body that has ended.
    public struct Postrun: Sendable {
        /// The task.
        public let context: TaskContext
        /// How it ended: `SUCCESS`, `FAILURE`, `RETRY`, `IGNORED`, `REJECTED` or `REVOKED`.
        public let state: TaskState
        /// What it returned, or the exception that it raised in the form of a result; null where there is none.
        public let result: JSONValue
    }

    /// A body that has returned.
    public struct Success: Sendable {
        /// The task.
        public let context: TaskContext
        /// What it returned.
        public let result: JSONValue
        /// How long it took.
        public let runtime: Duration
    }

    /// A task that has failed.
    public struct Failure: Sendable {
        /// The headers of its message.
        public let headers: TaskHeaders
        /// Its positional arguments.
        public let args: [JSONValue]
        /// Its keyword arguments.
        public let kwargs: JSONObject
        /// Where it was delivered from.
        public let deliveryInfo: DeliveryInfo
        /// Why, as its caller sees it.
        public let exception: ExceptionInfo
        /// Where, as its caller sees it.
        public let traceback: String?
    }

    /// A task that is to run again.
    public struct Retry: Sendable {
        /// The headers of the message of the run that has ended.
        public let headers: TaskHeaders
        /// Where that message was delivered from.
        public let deliveryInfo: DeliveryInfo
        /// When and why, such as `Retry in 180s: ValueError('boom')`.
        public let reason: String
        /// The error that it is retried for; nil where there is none.
        public let exception: ExceptionInfo?
    }

    /// A task that was revoked.
    public struct Revoked: Sendable {
        /// The headers of its message.
        public let headers: TaskHeaders
        /// Where it was delivered from.
        public let deliveryInfo: DeliveryInfo
        /// The name of the signal that ended its run; nil for a task that had not started.
        public let signal: String?
        /// Whether it was not revoked by anybody, but has expired.
        public let isExpired: Bool

        /// Whether its run was ended.
        public var isTerminated: Bool { signal != nil }
    }

    /// A task that nobody has registered.
    public struct Unknown: Sendable {
        /// The headers of its message.
        public let headers: TaskHeaders
        /// Where it was delivered from.
        public let deliveryInfo: DeliveryInfo
    }

    /// A message that cannot be read.
    public struct Rejected: Sendable {
        /// The task's name, as far as it can be told.
        public let task: String?
        /// The task's id, as far as it can be told.
        public let id: String?
        /// Where it was delivered from.
        public let deliveryInfo: DeliveryInfo
        /// What is wrong with it.
        public let error: ProtocolError
    }
}

/// What handlers of the signals about a worker are told.
public struct WorkerSignal: Sendable {
    /// The node name of the worker.
    public let hostname: String
}
