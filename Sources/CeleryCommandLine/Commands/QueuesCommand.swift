import AMQP
import ArgumentParser
import Celery

/// `list queues`: how many messages wait in the task queues, and how many consumers they have.
struct QueuesCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "queues",
            abstract: "Show waiting messages and consumers of task queues.",
            usage: "\(ExecutableName.current) list queues [-Q <names>] [--json]",
            discussion: """
                Not a command of Celery's. It asks the broker itself and needs no management plugin. Messages that workers have \
                reserved do not count. A queue that is not there has a dash, in JSON null.
                """
        )
    }

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp("Queues to ask for. (default: those of the settings)", valueName: "names"),
        transform: QueueNames.init(parsing:)
    )
    var queues: QueueNames?

    @Flag(name: [.customShort("j"), .customLong("json")], help: "Print JSON.")
    var json = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let access = try BrokerAccess(Application.self, global: global, command: "list")
        let known = QueueTable(configuration: access.configuration).all.filter { !$0.isBroadcast }.map(\.name)
        let survey = try await access.withConnection(.client) { connection in
            try await QueueSurvey(of: queues?.names ?? known, on: connection)
        }
        ConsoleStream.output.writeLine(
            json ? String(decoding: survey.json.serialized(), as: UTF8.self) : survey.table
        )
    }
}
