public import CeleryProtocol

/// What changes workers; the replies are `{"ok": text}` or `{"error": text}`, one of each worker that was reached.
///
/// All throw ``CeleryError`` as ``broadcast(_:arguments:to:timeout:limit:onReply:)``.
extension ControlClient {
    /// Has workers drop tasks that they get later, or have and do not run.
    ///
    /// - Parameters:
    ///   - ids: the tasks.
    ///   - terminate: whether those that run are ended, too.
    ///   - signal: the signal by which a process of a pool is ended.
    ///   - target: the workers that are meant; all of them, unless it is sure which ones may get the tasks.
    @discardableResult
    public func revoke(
        _ ids: [String],
        terminate: Bool = false,
        signal: String = "SIGTERM",
        _ target: ControlTarget = .all
    ) async throws(CeleryError) -> [ControlReply] {
        let arguments: JSONObject = [
            "task_id": .array(ids.map(JSONValue.string)), "terminate": .bool(terminate), "signal": .string(signal),
        ]
        return try await broadcast("revoke", arguments: arguments, to: target)
    }

    /// Has workers drop the tasks that bear one of these stamps.
    ///
    /// - Parameters:
    ///   - stamps: values by the name of the stamp.
    ///   - terminate: whether those that run are ended, too.
    ///   - signal: the signal by which a process of a pool is ended.
    ///   - target: the workers that are meant.
    @discardableResult
    public func revoke(
        stamps: [String: [String]],
        terminate: Bool = false,
        signal: String = "SIGTERM",
        _ target: ControlTarget = .all
    ) async throws(CeleryError) -> [ControlReply] {
        var headers: JSONObject = [:]
        for (name, values) in stamps.sorted(by: { $0.key < $1.key }) {
            headers[name] = .array(values.map(JSONValue.string))
        }
        let arguments: JSONObject = [
            "headers": .object(headers), "terminate": .bool(terminate), "signal": .string(signal),
        ]
        return try await broadcast("revoke_by_stamped_headers", arguments: arguments, to: target)
    }

    /// Ends tasks that run, and revokes them.
    @discardableResult
    public func terminate(
        _ ids: [String],
        signal: String = "SIGTERM",
        _ target: ControlTarget = .all
    ) async throws(CeleryError) -> [ControlReply] {
        try await revoke(ids, terminate: true, signal: signal, target)
    }

    /// Bounds how often tasks of a type start on each worker.
    @discardableResult
    public func rateLimit(
        _ taskName: String,
        _ limit: RateLimit,
        _ target: ControlTarget = .all
    ) async throws(CeleryError) -> [ControlReply] {
        let arguments: JSONObject = [
            "task_name": .string(taskName), "rate_limit": limit.isOff ? .int(0) : .string(limit.description),
        ]
        return try await broadcast("rate_limit", arguments: arguments, to: target)
    }

    /// Bounds how long tasks of a type run; nil for no limit.
    @discardableResult
    public func timeLimit(
        _ taskName: String,
        soft: Duration?,
        hard: Duration?,
        _ target: ControlTarget = .all
    ) async throws(CeleryError) -> [ControlReply] {
        func seconds(_ limit: Duration?) -> JSONValue { limit.map { .double($0.inSeconds) } ?? .null }
        let arguments: JSONObject = [
            "task_name": .string(taskName), "hard": seconds(hard), "soft": seconds(soft),
        ]
        return try await broadcast("time_limit", arguments: arguments, to: target)
    }

    /// Has workers consume a queue, too.
    ///
    /// - Parameters:
    ///   - queue: the queue's name.
    ///   - exchange: its exchange; nil for one of the queue's name.
    ///   - exchangeType: the exchange's type; nil for direct.
    ///   - routingKey: the key of its binding; nil for the queue's name.
    ///   - target: the workers that are meant.
    @discardableResult
    public func addConsumer(
        _ queue: String,
        exchange: String? = nil,
        exchangeType: String? = nil,
        routingKey: String? = nil,
        _ target: ControlTarget = .all
    ) async throws(CeleryError) -> [ControlReply] {
        func text(_ name: String?) -> JSONValue { name.map(JSONValue.string) ?? .null }
        let arguments: JSONObject = [
            "queue": .string(queue), "exchange": text(exchange), "exchange_type": text(exchangeType),
            "routing_key": text(routingKey),
        ]
        return try await broadcast("add_consumer", arguments: arguments, to: target)
    }

    /// Has workers consume a queue no longer.
    @discardableResult
    public func cancelConsumer(_ queue: String, _ target: ControlTarget = .all) async throws(CeleryError)
        -> [ControlReply]
    {
        try await broadcast("cancel_consumer", arguments: ["queue": .string(queue)], to: target)
    }

    /// Has workers send the events of their tasks.
    @discardableResult
    public func enableEvents(_ target: ControlTarget = .all) async throws(CeleryError) -> [ControlReply] {
        try await broadcast("enable_events", to: target)
    }

    /// Has workers send no events of their tasks.
    @discardableResult
    public func disableEvents(_ target: ControlTarget = .all) async throws(CeleryError) -> [ControlReply] {
        try await broadcast("disable_events", to: target)
    }

    /// Has workers send a heartbeat event at once.
    public func heartbeat(_ target: ControlTarget = .all) async throws(CeleryError) {
        try await cast("heartbeat", to: target)
    }

    /// Gives pools so many slots more.
    @discardableResult
    public func growPool(by count: Int = 1, _ target: ControlTarget = .all) async throws(CeleryError) -> [ControlReply]
    {
        try await broadcast("pool_grow", arguments: ["n": .int(count)], to: target)
    }

    /// Takes so many slots away from pools.
    @discardableResult
    public func shrinkPool(by count: Int = 1, _ target: ControlTarget = .all) async throws(CeleryError)
        -> [ControlReply]
    {
        try await broadcast("pool_shrink", arguments: ["n": .int(count)], to: target)
    }

    /// Sets the bounds within which pools size themselves.
    @discardableResult
    public func autoscale(max: Int, min: Int, _ target: ControlTarget = .all) async throws(CeleryError)
        -> [ControlReply]
    {
        try await broadcast("autoscale", arguments: ["max": .int(max), "min": .int(min)], to: target)
    }

    /// Starts the pools anew, where `worker_pool_restarts` allows it.
    @discardableResult
    public func restartPool(_ target: ControlTarget = .all) async throws(CeleryError) -> [ControlReply] {
        let arguments: JSONObject = ["modules": .null, "reload": .bool(false), "reloader": .null]
        return try await broadcast("pool_restart", arguments: arguments, to: target)
    }

    /// Has workers shut down warmly; no worker replies to that.
    public func shutdownWorkers(_ target: ControlTarget) async throws(CeleryError) {
        try await cast("shutdown", to: target)
    }
}
