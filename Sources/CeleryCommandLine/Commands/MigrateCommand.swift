import AMQP
import ArgumentParser
import Celery

/// `migrate`: moves or copies tasks between brokers, or between queues.
struct MigrateCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "migrate",
            abstract: "Migrate tasks from one broker to another.",
            usage: "\(ExecutableName.current) migrate <source> <destination> [options]",
            discussion: """
                Tasks are copied; with -a they are moved. Each is published with its body, headers and properties as they \
                are, as a mandatory message, and acknowledged at the source when the destination has confirmed it. If \
                either broker dies, or no queue takes a task, it stays at the source; a task whose confirm did not come \
                may then be at both.

                  \(ExecutableName.current) migrate -a amqp://old// amqp://new//
                  \(ExecutableName.current) migrate -a -Q celery:low,images amqp://host// amqp://host//

                The queues are declared at the destination as the settings know them. Tasks that are not asked for (-T), \
                and copied ones, are out of the reach of workers until the command ends.
                """
        )
    }

    @Argument(help: ArgumentHelp("URL of the broker that has the tasks.", valueName: "source"))
    var source: String

    @Argument(help: ArgumentHelp("URL of the broker that gets them.", valueName: "destination"))
    var destination: String

    @Option(
        name: [.customShort("n"), .customLong("limit")],
        help: ArgumentHelp("Number of tasks to migrate. (default: all)", valueName: "number")
    )
    var limit: Int?

    @Option(
        name: [.customShort("t"), .customLong("timeout")],
        help: ArgumentHelp("Ends when no task has come for so many seconds. (default: 1)", valueName: "seconds"),
        transform: TimeArgument.seconds
    )
    var timeout: Duration = .seconds(1)

    @Flag(
        name: [.customShort("a"), .customLong("ack-messages")],
        help: "Ack messages from the source broker: move them."
    )
    var acknowledges = false

    @Option(
        name: [.customShort("T"), .customLong("tasks")],
        help: ArgumentHelp("Names of the tasks to migrate: proj.add,proj.mul. (default: all)", valueName: "names"),
        transform: QueueNames.init(parsing:)
    )
    var tasks: QueueNames?

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp(
            "Queues to migrate; old:new has its tasks go to another one. (default: all known)",
            valueName: "names"
        ),
        transform: QueueMap.init(parsing:)
    )
    var queues: QueueMap?

    @Flag(
        name: [.customShort("F"), .customLong("forever")],
        help: "Continually migrate tasks until killed; a lost connection is made anew."
    )
    var forever = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        guard limit.map({ $0 > 0 }) ?? true else { throw ValidationError("--limit is a number above 0.") }
    }

    /// What the options ask for.
    var plan: Migration.Plan {
        Migration.Plan(
            queues: queues ?? .none,
            limit: limit,
            tasks: Set(tasks?.names ?? []),
            acknowledges: acknowledges,
            timeout: forever ? nil : timeout
        )
    }

    func run() async throws {
        let access = try BrokerAccess(Application.self, global: global, command: "migrate")
        let ends = (source: try access.with(brokerURL: source), destination: try access.with(brokerURL: destination))
        let report = MigrationReport(
            isQuiet: global.quiet,
            line: { ConsoleStream.output.writeLine($0) },
            note: { ConsoleStream.error.writeLine($0) }
        )
        while true {
            do {
                try await migrate(from: ends.source, to: ends.destination, report)
                break
            } catch let failure as CommandFailure where forever && failure.status != .usage {
                report.remark("\(failure.message)\nTrying again in \(Self.pause).")
                try await Task.sleep(for: Self.pause)
            }
        }
        if (report.outcome?.refused ?? 0) > 0 { throw CommandFailure("") }
    }

    private static var pause: Duration { .seconds(2) }

    private func migrate(
        from source: BrokerAccess,
        to destination: BrokerAccess,
        _ report: MigrationReport
    ) async throws {
        try await source.withConnection(.client) { sourceConnection in
            try await destination.withConnection(.publish) { destinationConnection in
                let table = QueueTable(configuration: source.configuration)
                try await Migration(
                    plan: plan,
                    sources: try Migration.sources(plan, table),
                    report: report,
                    source: sourceConnection,
                    destination: destinationConnection,
                    declarer: TopologyDeclarer(
                        connection: destinationConnection,
                        logger: destination.logger,
                        memory: TopologyMemory()
                    )
                ).run()
            }
        }
    }
}
