import ArgumentParser
import Celery
import Logging
import Synchronization

/// `events`: shows what happens, live on the whole screen or as lines.
struct EventsCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "events",
            abstract: "Watch workers and tasks by their events.",
            usage: "\(ExecutableName.current) events [--dump]",
            discussion: """
                Shows workers and tasks live on the whole screen of the terminal; the key ? explains the keys. Workers send \
                events of their tasks when they were started with -E, or after 'control enable_events'.
                """
        )
    }

    @Flag(name: [.customShort("d"), .customLong("dump")], help: "Print events as lines instead, as they come in.")
    var dump = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let variables = CommandEnvironment.process
        let celery = try CeleryConfiguration.load(
            base: Application.configuration(),
            global: global,
            variables: variables
        )
        do {
            if dump {
                Application.bootstrapLogging(global.loggingOptions(level: .warning, variables: variables))
                try await EventPrinter(configuration: celery, logger: Logger(label: "celery.events")).run()
            } else {
                try await watch(celery, isColored: global.textStyle(variables).isColored)
            }
        } catch let error as CeleryError {
            throw CommandFailure(error)
        }
    }

    private func watch(_ celery: CeleryConfiguration, isColored: Bool) async throws {
        // Lines of a log would spoil the screen: what matters is shown on it.
        let logger = Logger(label: "celery.events") { _ in SwiftLogNoOpLogHandler() }
        let inbox = LiveInbox()
        let receiver = try EventReceiver(configuration: celery, logger: logger) { status in
            if case .connected = status { inbox.put(isConnected: true) } else { inbox.put(isConnected: false) }
        }
        let control = try ControlClient(configuration: celery, logger: logger)
        let view = LiveView(
            receiver: receiver,
            actions: LiveActions(control: control, inbox: inbox),
            inbox: inbox,
            broker: try BrokerSettings.redacted(celery),
            isColored: isColored
        )
        let result: Result<Void, any Error>
        do {
            result = .success(try await view.run())
        } catch {
            result = .failure(error)
        }
        await control.shutdown()
        try result.get()
    }
}
