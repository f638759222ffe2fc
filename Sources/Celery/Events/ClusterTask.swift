public import CeleryProtocol

/// What events tell of a task.
///
/// Source of the rules: `celery.events.state.Task`.
public struct ClusterTask: Sendable, Hashable, Identifiable {
    /// The task's id.
    public let id: String
    /// The state that the events amount to.
    public private(set) var state = TaskState.pending
    /// The node that has the task, by its last event; nil while only the client was heard.
    public private(set) var worker: String?
    /// Who sent the task: `gen<pid>@<host>`.
    public private(set) var client: String?
    /// The time of the last event: seconds since 1970.
    public private(set) var timestamp: Double?
    /// The Lamport clock of the last event.
    public private(set) var clock = 0
    /// When each kind of event happened, by its name (`sent`, `received`, `started`, `succeeded`, `failed`, `retried`,
    /// `revoked`, `rejected`): seconds since 1970.
    public private(set) var times: [String: Double] = [:]
    /// What the events say beyond that: `name`, `args`, `kwargs`, `result`, `exception`, `traceback`, `runtime` and so on.
    public private(set) var fields: JSONObject = [:]

    /// States by the events that bring them about; any other event is a state of its own name.
    private static let states: [Substring: TaskState] = [
        "sent": .pending, "received": .received, "started": .started, "failed": .failure, "retried": .retry,
        "succeeded": .success, "revoked": .revoked, "rejected": .rejected,
    ]
    /// What a `task-received` tells even where it comes late.
    private static let receivedFields: Set<String> = [
        "name", "args", "kwargs", "parent_id", "root_id", "retries", "eta", "expires",
    ]
    /// What has its own place, or tells of the event and not of the task.
    private static let otherFields: Set<String> = [
        "uuid", "hostname", "utcoffset", "pid", "clock", "timestamp", "type", "local_received", "state",
    ]

    init(id: String) {
        self.id = id
    }

    /// Takes an event of this task in.
    mutating func apply(_ event: ClusterEvent, limits: ClusterState.Limits) {
        if event.subject == "sent" { client = event.hostname } else { worker = event.hostname }
        let known = Self.states[event.subject]
        let next = known ?? TaskState(name: event.subject.uppercased())
        if known != nil, let timestamp = event.timestamp { times[String(event.subject)] = timestamp }
        let isLate = next != .retry && state != .retry && state.outranks(next)
        if !isLate { state = next }
        if isLate, next == .received {
            merge(event.fields, limits: limits) { Self.receivedFields.contains($0) }
        } else {
            timestamp = event.timestamp ?? timestamp
            clock = event.clock
            merge(event.fields, limits: limits) { !Self.otherFields.contains($0) }
        }
    }

    private mutating func merge(_ news: JSONObject, limits: ClusterState.Limits, _ isWanted: (String) -> Bool) {
        for (key, value) in news where isWanted(key) {
            guard fields.count < limits.fieldsPerTask || fields[key] != nil else { continue }
            fields[key] = limits.bounded(value)
        }
    }
}

extension ClusterTask {
    /// The task's name; nil while no event has told it.
    public var name: String? { fields["name"]?.stringValue }

    /// The text of the positional arguments.
    public var arguments: String? { fields["args"]?.stringValue }

    /// The text of the keyword arguments.
    public var keywords: String? { fields["kwargs"]?.stringValue }

    /// The text of the result.
    public var result: String? { fields["result"]?.stringValue }

    /// The text of the exception.
    public var exception: String? { fields["exception"]?.stringValue }

    /// The traceback of the exception.
    public var traceback: String? { fields["traceback"]?.stringValue }

    /// How long the task ran, in seconds.
    public var runtime: Double? { fields["runtime"]?.doubleValue }
}
