extension RemoteCommand {
    /// All commands that Celery's workers answer, but the hidden `hello`.
    static let all: [RemoteCommand] = inspecting + controlling

    /// The commands of a kind, by their names.
    static func all(_ kind: Kind) -> [RemoteCommand] {
        all.filter { $0.kind == kind }.sorted { $0.name < $1.name }
    }

    /// The command of a name.
    ///
    /// - Throws: `CommandFailure` with the usage status, which lists the others.
    static func named(_ name: String, _ kind: Kind) throws -> RemoteCommand {
        let commands = all(kind)
        guard let command = commands.first(where: { $0.name == name }) else {
            let names = commands.map(\.name).joined(separator: ", ")
            throw CommandFailure(
                "Command \(name) not recognized. Available \(kind.rawValue) commands: \(names)",
                status: .usage
            )
        }
        return command
    }

    private static let inspecting: [RemoteCommand] = [
        RemoteCommand(name: "active", kind: .inspect, help: "List of tasks currently being executed."),
        RemoteCommand(
            name: "active_queues",
            kind: .inspect,
            help: "List the task queues a worker is currently consuming from."
        ),
        RemoteCommand(name: "clock", kind: .inspect, help: "Get current logical clock value."),
        RemoteCommand(
            name: "conf",
            kind: .inspect,
            help: "List configuration.",
            signature: "[include_defaults=False]",
            parameters: [Parameter("with_defaults", .truth)]
        ),
        RemoteCommand(
            name: "memdump",
            kind: .inspect,
            help: "Dump statistics of previous memsample requests.",
            signature: "[n_samples=10]",
            parameters: [Parameter("samples", .integer)]
        ),
        RemoteCommand(name: "memsample", kind: .inspect, help: "Sample current RSS memory usage."),
        RemoteCommand(
            name: "objgraph",
            kind: .inspect,
            help: "Create graph of uncollected objects (memory-leak debugging).",
            signature: "[object_type=Request] [num=200 [max_depth=10]]",
            parameters: [Parameter("type"), Parameter("num", .integer), Parameter("max_depth", .integer)]
        ),
        RemoteCommand(name: "ping", kind: .inspect, help: "Ping worker(s)."),
        RemoteCommand(
            name: "query_task",
            kind: .inspect,
            help: "Query for task information by id.",
            signature: "[id1 [id2 [... [idN]]]]",
            rest: "ids"
        ),
        RemoteCommand(
            name: "registered",
            kind: .inspect,
            help: "List of registered tasks.",
            signature: "[attr1 [attr2 [... [attrN]]]]",
            rest: "taskinfoitems"
        ),
        RemoteCommand(name: "report", kind: .inspect, help: "Information about Celery installation for bug reports."),
        RemoteCommand(
            name: "reserved",
            kind: .inspect,
            help: "List of currently reserved tasks, not including scheduled/active."
        ),
        RemoteCommand(name: "revoked", kind: .inspect, help: "List of revoked task-ids."),
        RemoteCommand(name: "scheduled", kind: .inspect, help: "List of currently scheduled ETA/countdown tasks."),
        RemoteCommand(name: "stats", kind: .inspect, help: "Request worker statistics/information."),
    ]

    private static let controlling: [RemoteCommand] = [
        RemoteCommand(
            name: "add_consumer",
            kind: .control,
            help: "Tell worker(s) to consume from task queue by name.",
            signature: "<queue> [exchange [type [routing_key]]]",
            parameters: ["queue", "exchange", "exchange_type", "routing_key"].map { Parameter($0) }
        ),
        RemoteCommand(
            name: "autoscale",
            kind: .control,
            help: "Modify autoscale settings.",
            signature: "[max [min]]",
            parameters: [Parameter("max", .integer), Parameter("min", .integer)]
        ),
        RemoteCommand(
            name: "cancel_consumer",
            kind: .control,
            help: "Tell worker(s) to stop consuming from task queue by name.",
            signature: "<queue>",
            parameters: [Parameter("queue")]
        ),
        RemoteCommand(
            name: "disable_events",
            kind: .control,
            help: "Tell worker(s) to stop sending task-related events."
        ),
        RemoteCommand(
            name: "election",
            kind: .control,
            help: "Hold election."
        ),
        RemoteCommand(name: "enable_events", kind: .control, help: "Tell worker(s) to send task-related events."),
        RemoteCommand(name: "heartbeat", kind: .control, help: "Tell worker(s) to send event heartbeat immediately."),
        RemoteCommand(
            name: "pool_grow",
            kind: .control,
            help: "Grow pool by n processes/threads.",
            signature: "[N=1]",
            parameters: [Parameter("n", .integer)]
        ),
        RemoteCommand(name: "pool_restart", kind: .control, help: "Restart execution pool."),
        RemoteCommand(
            name: "pool_shrink",
            kind: .control,
            help: "Shrink pool by n processes/threads.",
            signature: "[N=1]",
            parameters: [Parameter("n", .integer)]
        ),
        RemoteCommand(
            name: "rate_limit",
            kind: .control,
            help: "Tell worker(s) to modify the rate limit for a task by type.",
            signature: "<task_name> <rate_limit (e.g., 5/s | 5/m | 5/h)>",
            parameters: [Parameter("task_name"), Parameter("rate_limit")]
        ),
        RemoteCommand(
            name: "revoke",
            kind: .control,
            help: "Revoke task by task id (or list of ids).",
            signature: "[id1 [id2 [... [idN]]]]",
            rest: "task_id"
        ),
        RemoteCommand(
            name: "revoke_by_stamped_headers",
            kind: .control,
            help: "Revoke task by header (or list of headers).",
            signature: "[key1=value1 [key2=value2 [... [keyN=valueN]]]]",
            rest: "headers"
        ),
        RemoteCommand(name: "shutdown", kind: .control, help: "Shutdown worker(s)."),
        RemoteCommand(
            name: "terminate",
            kind: .control,
            help: "Terminate task by task id (or list of ids).",
            signature: "<signal> [id1 [id2 [... [idN]]]]",
            parameters: [Parameter("signal")],
            rest: "task_id"
        ),
        RemoteCommand(
            name: "time_limit",
            kind: .control,
            help: "Tell worker(s) to modify the time limit for task by type.",
            signature: "<task_name> <soft_secs> [hard_secs]",
            parameters: [Parameter("task_name"), Parameter("soft", .number), Parameter("hard", .number)]
        ),
    ]
}
