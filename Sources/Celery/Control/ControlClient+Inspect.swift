public import CeleryProtocol
internal import Logging

/// What workers tell of themselves: a map from node names to what each has replied, in the order of the replies.
///
/// The maps are as Celery's `inspect` has them; an error of a node is its reply `{"error": …}`.
extension ControlClient {
    /// Sends an inspecting command and answers the replies by node.
    ///
    /// Of two nodes of one name the last reply counts, and a warning is logged.
    ///
    /// - Throws: ``CeleryError`` as ``broadcast(_:arguments:to:timeout:limit:onReply:)``; so do the other functions here.
    public func inspect(
        _ command: String,
        arguments: JSONObject = [:],
        of target: ControlTarget = .all,
        timeout: Duration = .seconds(1)
    ) async throws(CeleryError) -> JSONObject {
        byNode(try await broadcast(command, arguments: arguments, to: target, timeout: timeout))
    }

    /// The replies by node.
    package func byNode(_ replies: [ControlReply]) -> JSONObject {
        var values: JSONObject = [:]
        var twice: Set<String> = []
        for reply in replies where values.updateValue(reply.value, forKey: reply.node) != nil {
            twice.insert(reply.node)
        }
        if !twice.isEmpty {
            logger.warning("several nodes have the same name", metadata: ["nodes": "\(twice.sorted())"])
        }
        return values
    }

    /// Who is there: `{"ok": "pong"}`.
    public func ping(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("ping", of: target, timeout: timeout)
    }

    /// Statistics: totals by task, the pool, the broker, resources.
    public func stats(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("stats", of: target, timeout: timeout)
    }

    /// Tasks that run.
    public func active(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("active", of: target, timeout: timeout)
    }

    /// Tasks that workers have fetched and that do not run yet.
    public func reserved(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("reserved", of: target, timeout: timeout)
    }

    /// Tasks that workers hold until their time has come.
    public func scheduled(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("scheduled", of: target, timeout: timeout)
    }

    /// Ids of revoked tasks.
    public func revoked(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("revoked", of: target, timeout: timeout)
    }

    /// Names of the tasks that workers know, with the attributes that are set.
    ///
    /// - Parameters:
    ///   - attributes: attributes of tasks to tell; empty for `exchange`, `routing_key` and `rate_limit`.
    ///   - includesBuiltins: whether tasks of Celery's own are told, too.
    ///   - target: the workers that are meant.
    ///   - timeout: how long to wait for each reply.
    public func registered(
        attributes: [String] = [],
        includesBuiltins: Bool = false,
        _ target: ControlTarget = .all,
        timeout: Duration = .seconds(1)
    ) async throws(CeleryError) -> JSONObject {
        let arguments: JSONObject = [
            "taskinfoitems": .array(attributes.map(JSONValue.string)), "builtins": .bool(includesBuiltins),
        ]
        return try await inspect("registered", arguments: arguments, of: target, timeout: timeout)
    }

    /// Queues that workers consume.
    public func activeQueues(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("active_queues", of: target, timeout: timeout)
    }

    /// What workers know of tasks: by id the state (`active`, `reserved`, `scheduled`, `ready`) and what the task is.
    public func queryTask(
        _ ids: [String],
        _ target: ControlTarget = .all,
        timeout: Duration = .seconds(1)
    ) async throws(CeleryError) -> JSONObject {
        let arguments: JSONObject = ["ids": .array(ids.map(JSONValue.string))]
        return try await inspect("query_task", arguments: arguments, of: target, timeout: timeout)
    }

    /// Settings, without secrets.
    public func configuration(
        withDefaults: Bool = false,
        _ target: ControlTarget = .all,
        timeout: Duration = .seconds(1)
    ) async throws(CeleryError) -> JSONObject {
        try await inspect("conf", arguments: ["with_defaults": .bool(withDefaults)], of: target, timeout: timeout)
    }

    /// Reports for people: `{"ok": text}`.
    public func report(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("report", of: target, timeout: timeout)
    }

    /// The logical clocks: `{"clock": number}`.
    public func clock(_ target: ControlTarget = .all, timeout: Duration = .seconds(1)) async throws(CeleryError)
        -> JSONObject
    {
        try await inspect("clock", of: target, timeout: timeout)
    }
}
