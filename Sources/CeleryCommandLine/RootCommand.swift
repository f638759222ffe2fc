import ArgumentParser

/// The executable itself: global options and the commands below it.
struct RootCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: ExecutableName.current,
            abstract: isApplication
                ? "\(Application.name), a Celery worker in Swift."
                : "Celery workers and clients in Swift, for RabbitMQ.",
            usage: "\(ExecutableName.current) [global options] <command> [options]",
            discussion: """
                Options have the names and meanings of Celery's command line. Global options may stand before or after \
                the command. The broker can also be given as CELERY_BROKER_URL.
                """,
            version: "\(Application.version) (\(Application.name))",
            subcommands: [
                WorkerCommand<Application>.self,
                CallCommand<Application>.self,
                ResultCommand<Application>.self,
                GraphCommand<Application>.self,
            ]
        )
    }

    private static var isApplication: Bool { !(Application.self is any StartsNamedApplication.Type) }

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        throw CleanExit.helpRequest(self)
    }
}
