import ArgumentParser
import Celery

/// `purge`: deletes all waiting messages of the known queues.
struct PurgeCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "purge",
            abstract: "Erase all messages from all known task queues.",
            usage: "\(ExecutableName.current) purge [-f] [-Q <names>] [-X <names>]",
            discussion: """
                There is no undo for this command. Known are the queues of the setting task_queues, or else \
                task_default_queue. Messages that a worker has reserved stay with it.
                """
        )
    }

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Don't prompt for verification.")
    var force = false

    @Option(
        name: [.customShort("Q"), .customLong("queues")],
        help: ArgumentHelp("Comma separated list of queue names to purge. (default: all known)", valueName: "names"),
        transform: QueueNames.init(parsing:)
    )
    var queues: QueueNames?

    @Option(
        name: [.customShort("X"), .customLong("exclude-queues")],
        help: ArgumentHelp("Comma separated list of queue names not to purge.", valueName: "names"),
        transform: QueueNames.init(parsing:)
    )
    var excludedQueues: QueueNames?

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let access = try BrokerAccess(Application.self, global: global, command: "purge")
        let purge = QueuePurge(
            known: QueueTable(configuration: access.configuration).all.map(\.name),
            wanted: queues?.names,
            excluded: excludedQueues?.names ?? []
        )
        guard !purge.queues.isEmpty else { return }
        guard force || Confirmation.console.isGiven(purge.question) else { throw CommandFailure("Aborted!") }
        let outcome = try await access.withConnection(.publish) { try await purge.run($0) }
        ConsoleStream.output.writeLine(purge.report(outcome.count))
        for remark in outcome.remarks where !global.quiet { ConsoleStream.error.writeLine(remark) }
        if outcome.isRefused { throw CommandFailure("") }
    }
}
