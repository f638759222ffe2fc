import ArgumentParser
import Celery

/// The options of `status`, `inspect` and `control`, with the names of Celery's.
struct RemoteOptions: ParsableArguments {
    @Option(
        name: [.customShort("t"), .customLong("timeout")],
        help: ArgumentHelp(
            "Seconds to wait for a reply, and for each further one. (default: 1.0)",
            valueName: "seconds"
        ),
        transform: TimeArgument.seconds
    )
    var timeout: Duration = .seconds(1)

    @Option(
        name: [.customShort("d"), .customLong("destination")],
        help: ArgumentHelp("Only these nodes: names separated by commas, such as celery@host1.", valueName: "names"),
        transform: NodeNames.init(parsing:)
    )
    var destination: NodeNames?

    @Flag(name: [.customShort("j"), .customLong("json")], help: "Print the replies as JSON.")
    var json = false

    /// The workers that are meant.
    var target: ControlTarget { destination.map { .nodes($0.names) } ?? .all }
}

/// The value of `--destination`: names separated by commas.
struct NodeNames: Sendable, Hashable {
    let names: [String]

    /// Reads a list; spaces around names and empty names are dropped.
    init(parsing text: String) throws {
        names = text.split(separator: ",").map { name in
            let start = name.drop(while: \.isWhitespace)
            return String(start.reversed().drop(while: \.isWhitespace).reversed())
        }.filter { !$0.isEmpty }
        guard !names.isEmpty else { throw OptionError("give at least one node name") }
    }
}
