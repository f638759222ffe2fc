import ArgumentParser

/// The options of the `worker` command that concern its pool, with the names that they have in Celery.
struct PoolOptions: ParsableArguments {
    @Option(
        name: .customLong("time-limit"),
        help: ArgumentHelp("Hard time limit of tasks that set none themselves.", valueName: "seconds"),
        transform: TimeArgument.limit
    )
    var timeLimit: Duration?

    @Option(
        name: .customLong("soft-time-limit"),
        help: ArgumentHelp("Time after which such a task is cancelled.", valueName: "seconds"),
        transform: TimeArgument.limit
    )
    var softTimeLimit: Duration?

    @Option(
        name: .customLong("max-tasks-per-child"),
        help: ArgumentHelp("Tasks that a child process runs before it is replaced.", valueName: "number"),
        transform: PositiveNumber.init(parsing:)
    )
    var maxTasksPerChild: PositiveNumber?

    @Option(
        name: .customLong("max-memory-per-child"),
        help: ArgumentHelp(
            "Resident memory beyond which a child process is replaced after its task.",
            valueName: "KiB"
        ),
        transform: PositiveNumber.init(parsing:)
    )
    var maxMemoryPerChild: PositiveNumber?

    @Option(
        name: .customLong("autoscale"),
        help: ArgumentHelp("Most and fewest child processes.", valueName: "max,min"),
        transform: AutoscaleRange.init(parsing:)
    )
    var autoscale: AutoscaleRange?

    @Option(
        name: .customLong("pool-start-method"),
        help: ArgumentHelp("How child processes start. There is only 'spawn'.", valueName: "spawn"),
        transform: PoolStartMethod.init(parsing:)
    )
    var poolStartMethod: PoolStartMethod?

    @Option(
        name: [.customShort("O"), .customLong("optimization")],
        help: ArgumentHelp(
            "Both mean the same here: a task is only handed to a slot that is free.",
            valueName: "default|fair"
        ),
        transform: Optimization.init(parsing:)
    )
    var optimization: Optimization?

    @Flag(
        name: [.customShort("E"), .customLong("task-events"), .customLong("events")],
        help: "Send events of tasks. There are none to send yet: the option is taken for later."
    )
    var taskEvents = false

    @Option(
        name: [.customShort("S"), .customLong("statedb")],
        help: ArgumentHelp(
            "File in which revoked ids outlive the worker; %n, %h, %d and %p stand for parts of its name.",
            valueName: "path"
        )
    )
    var stateDB: String?

    @Option(
        name: .customLong("shutdown-grace"),
        help: ArgumentHelp(
            "Time after which a warm shutdown becomes a cold one by itself, so that tasks with a late acknowledgement are back in their queue before the process is killed. Below Kubernetes' terminationGracePeriodSeconds, for example 20. (default: never)",
            valueName: "seconds"
        ),
        transform: TimeArgument.seconds
    )
    var shutdownGrace: Duration?

    @Flag(name: .customLong("without-gossip"), help: "Has no effect: this worker takes no part in gossip yet.")
    var withoutGossip = false

    @Flag(name: .customLong("without-mingle"), help: "Has no effect: this worker does not mingle yet.")
    var withoutMingle = false

    @Flag(name: .customLong("without-heartbeat"), help: "Has no effect: this worker sends no event heartbeats yet.")
    var withoutHeartbeat = false

    @Option(
        name: .customLong("heartbeat-interval"),
        help: ArgumentHelp("Has no effect: this worker sends no event heartbeats yet.", valueName: "seconds"),
        transform: PositiveNumber.init(parsing:)
    )
    var heartbeatInterval: PositiveNumber?
}
