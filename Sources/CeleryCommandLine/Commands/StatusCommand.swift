import ArgumentParser
import Celery

/// `status`: which workers are there.
struct StatusCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "status",
            abstract: "Show list of workers that are online.",
            usage: "\(ExecutableName.current) status [options]",
            discussion: "Ends with the exit code 69 where no worker replies."
        )
    }

    @OptionGroup(title: "Remote control options")
    var remote: RemoteOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        var run = try global.remoteRun(Application.self, remote, command: "ping")
        run.showsBody = false
        let replies = try await run.replies("ping", [:])
        if remote.json {
            ConsoleStream.output.writeLine(JSONText.line(RemoteCommandRun.map(replies)))
        } else {
            run.showFooter(replies)
        }
    }
}
