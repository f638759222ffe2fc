import ArgumentParser

/// The options of the `worker` command that concern events and remote control, with the names that they have in Celery.
struct EventOptions: ParsableArguments {
    @Flag(
        name: [.customShort("E"), .customLong("task-events"), .customLong("events")],
        help: "Send events of tasks, which monitors such as Flower show."
    )
    var taskEvents = false

    @Flag(name: .customLong("without-gossip"), help: "Do not listen to the events of other workers.")
    var withoutGossip = false

    @Flag(name: .customLong("without-mingle"), help: "Do not ask other workers for revoked tasks at the start.")
    var withoutMingle = false

    @Flag(name: .customLong("without-heartbeat"), help: "Do not send event heartbeats.")
    var withoutHeartbeat = false

    @Option(
        name: .customLong("heartbeat-interval"),
        help: ArgumentHelp("Time from one event heartbeat to the next. (default: 2)", valueName: "seconds"),
        transform: PositiveNumber.init(parsing:)
    )
    var heartbeatInterval: PositiveNumber?
}
