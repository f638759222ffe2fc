import ArgumentParser
import Celery

/// `report`: versions, platform and settings, for a report of a fault.
struct ReportCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "report",
            abstract: "Show information useful to include in bug reports.",
            usage: "\(ExecutableName.current) report",
            discussion: "Settings are those that differ from their defaults; passwords and keys are starred."
        )
    }

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let configuration = try CeleryConfiguration.load(
            base: Application.configuration(),
            global: global,
            variables: .process
        )
        ConsoleStream.output.writeLine(BugReport(configuration: configuration, application: Application.name).text)
    }
}
