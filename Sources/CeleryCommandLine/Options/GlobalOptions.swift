import ArgumentParser
import Logging

/// The options that every command takes, before or after its name.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: [.customShort("A"), .customLong("app")],
        help: ArgumentHelp(
            "Run this worker executable instead, with the remaining arguments. Stands before the command.",
            valueName: "path"
        )
    )
    var application: String?

    @Option(
        name: [.customShort("b"), .customLong("broker")],
        help: ArgumentHelp(
            "Broker, as kombu writes it: amqp://user:password@host:5672/vhost; several separated by ';'.",
            valueName: "url"
        )
    )
    var broker: String?

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "File of settings: a JSON map of Celery's names, such as {\"task_acks_late\": true}. Also as CELERY_CONFIG.",
            valueName: "file"
        )
    )
    var configurationFile: String?

    @Option(
        name: .customLong("workdir"),
        help: ArgumentHelp("Change to this folder first. Stands before the command.", valueName: "path")
    )
    var workingDirectory: String?

    @Flag(name: [.customShort("C"), .customLong("no-color")], help: "No colours in the log.")
    var noColor = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "No banner, no side remarks.")
    var quiet = false

    func validate() throws {
        if let application {
            throw ValidationError("-A/--app stands before the command: swcelery -A \(application) worker …")
        }
        if let workingDirectory {
            throw ValidationError(
                "--workdir stands before the command: swcelery --workdir \(workingDirectory) worker …"
            )
        }
    }
}

extension GlobalOptions {
    /// How the command is to log: in colour where a terminal is there and neither `-C` nor `NO_COLOR` forbids it.
    func loggingOptions(
        level: Logger.Level,
        variables: CommandEnvironment,
        isTerminal: Bool = ConsoleStream.error.isTerminal
    ) -> LoggingOptions {
        LoggingOptions(level: level, isColored: isTerminal && !noColor && variables[.noColor] == nil)
    }
}
