import ArgumentParser
import Celery

/// Which command of remote control is sent, and with what.
struct RemoteCall: ParsableArguments {
    @Argument(help: "The command's name.")
    var command: String?

    @Argument(help: "Its arguments, in the order that --list shows.")
    var arguments: [String] = []

    @Flag(help: "List the available commands and exit.")
    var list = false

    @Option(
        name: [.customShort("k"), .customLong("kwargs")],
        help: ArgumentHelp(
            "Named arguments as a JSON object; with them a command may be one of an application's own.",
            valueName: "json"
        ),
        transform: JSONArgument.object
    )
    var keywords: JSONObject?

    /// Complains where there is nothing to do.
    func requireCommand(_ kind: RemoteCommand.Kind) throws {
        guard command != nil || list else {
            throw ValidationError("Missing argument 'COMMAND'. --list shows the \(kind.rawValue) commands.")
        }
    }

    /// The command's name and its arguments by name.
    ///
    /// - Throws: `CommandFailure` with the usage status.
    func request(_ kind: RemoteCommand.Kind) throws -> (name: String, arguments: JSONObject) {
        let name = command ?? ""
        guard let keywords else { return (name, try RemoteCommand.named(name, kind).arguments(arguments)) }
        var all: JSONObject = [:]
        if let known = try? RemoteCommand.named(name, kind) {
            if !arguments.isEmpty { all = try known.arguments(arguments) }
        } else if !arguments.isEmpty {
            throw CommandFailure(
                "The arguments of '\(name)' are not known: give them by --kwargs alone",
                status: .usage
            )
        }
        for (key, value) in keywords { all[key] = value }
        return (name, all)
    }
}
