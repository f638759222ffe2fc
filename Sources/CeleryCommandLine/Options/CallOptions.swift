import ArgumentParser
import Celery

/// The options of the `call` command that say with what and when the task is called, with the names of Celery's.
struct CallOptions: ParsableArguments {
    @Option(
        name: [.customShort("a"), .customLong("args")],
        help: ArgumentHelp("Positional arguments as a JSON array: '[2, 3]'.", valueName: "json"),
        transform: JSONArgument.array
    )
    var arguments: [JSONValue]?

    @Option(
        name: [.customShort("k"), .customLong("kwargs")],
        help: ArgumentHelp(#"Keyword arguments as a JSON object: '{"x": 2}'."#, valueName: "json"),
        transform: JSONArgument.object
    )
    var keywords: JSONObject?

    @Option(
        help: ArgumentHelp("Start at this time at the earliest, ISO 8601; UTC without an offset.", valueName: "time"),
        transform: TimeArgument.date
    )
    var eta: WireDate?

    @Option(
        help: ArgumentHelp("Start after so many seconds at the earliest.", valueName: "seconds"),
        transform: TimeArgument.seconds
    )
    var countdown: Duration?

    @Option(
        help: ArgumentHelp(
            "Drop the task if it has not started by then: seconds from now, or a time in ISO 8601.",
            valueName: "seconds|time"
        ),
        transform: TimeArgument.expiry
    )
    var expires: Expiry?
}

/// The options of the `call` command that say what becomes of the result.
struct WaitOptions: ParsableArguments {
    @Flag(help: "Wait for the result and print it as JSON.")
    var wait = false

    @Option(
        help: ArgumentHelp("With --wait: give up after so many seconds. (default: never)", valueName: "seconds"),
        transform: TimeArgument.seconds
    )
    var timeout: Duration?
}

/// The options of the `call` command that say where the task goes, with the names of Celery's.
struct RoutingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Queue to send to. (default: as the configuration routes the task)", valueName: "name"))
    var queue: String?

    @Option(help: ArgumentHelp("Exchange to publish to, in the place of the queue's.", valueName: "name"))
    var exchange: String?

    @Option(help: ArgumentHelp("Routing key, in the place of the queue's.", valueName: "key"))
    var routingKey: String?

    @Option(help: ArgumentHelp("Priority from 0 to 255, for queues that have priorities.", valueName: "number"))
    var priority: UInt8?
}
