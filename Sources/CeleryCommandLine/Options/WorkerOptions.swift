import ArgumentParser
import CeleryWorker

/// The options of the `worker` command, with the names that they have in Celery.
struct WorkerOptions: ParsableArguments {
    @Option(
        name: [.customShort("n"), .customLong("hostname")],
        help: ArgumentHelp(
            "The worker's name, unique among the workers of a virtual host: w1@%h. %h is the machine's name, %n the part of it before the first dot, %d the rest; %i is 0, %I nothing. (default: celery@%h)",
            valueName: "name"
        ),
        transform: { try NodeName.option($0) }
    )
    var hostname: NodeName?

    @Option(
        name: [.customShort("l"), .customLong("loglevel")],
        help: ArgumentHelp("DEBUG, INFO, WARNING, ERROR, CRITICAL or FATAL. (default: WARNING)", valueName: "level"),
        transform: LogLevelName.init(parsing:)
    )
    var logLevel: LogLevelName?

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp("Queues to consume from: celery,low-priority. (default: celery)", valueName: "names"),
        transform: QueueNames.init(parsing:)
    )
    var queues: QueueNames?

    @Option(
        name: [.customShort("X"), .customLong("exclude-queues")],
        help: ArgumentHelp("Queues of the configuration to leave out.", valueName: "names"),
        transform: QueueNames.init(parsing:)
    )
    var excludedQueues: QueueNames?

    @Flag(
        name: [.customLong("purge"), .customLong("discard")],
        help: "Delete all waiting messages of the consumed queues first. There is no way back."
    )
    var purge = false

    @Option(
        name: [.customShort("c"), .customLong("concurrency")],
        help: ArgumentHelp(
            "How many tasks run at a time; 'auto' heeds the CPU quota of a container. (default: number of CPUs)",
            valueName: "number|auto"
        ),
        transform: Concurrency.init(parsing:)
    )
    var concurrency: Concurrency?

    @Option(
        name: [.customShort("P"), .customLong("pool")],
        help: ArgumentHelp(
            "How tasks run. 'processes': in child processes ('prefork' means the same). 'tasks': concurrently in this process ('threads', 'gevent' and 'eventlet' mean the same). 'solo': one at a time. (default: processes)",
            valueName: "processes|tasks|solo"
        ),
        transform: PoolName.init(parsing:)
    )
    var pool: PoolName?

    @Option(
        name: .customLong("prefetch-multiplier"),
        help: ArgumentHelp(
            "Messages to reserve for each slot; 0 is no limit. (default: 4)",
            valueName: "number"
        ),
        transform: PrefetchMultiplier.init(parsing:)
    )
    var prefetchMultiplier: PrefetchMultiplier?
}
