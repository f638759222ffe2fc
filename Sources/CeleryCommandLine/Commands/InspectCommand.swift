import ArgumentParser
import Celery

/// `inspect COMMAND`: asks workers about themselves.
struct InspectCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "inspect",
            abstract: "Inspect the workers by sending them the COMMAND inspect command.",
            usage: "\(ExecutableName.current) inspect [options] <command> [arguments]",
            discussion: """
                --list shows the commands and their arguments. Ends with the exit code 69 where no worker replies.
                """
        )
    }

    @OptionGroup(title: "Command")
    var call: RemoteCall

    @OptionGroup(title: "Remote control options")
    var remote: RemoteOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        try call.requireCommand(.inspect)
    }

    func run() async throws {
        if call.list { return ConsoleStream.output.writeLine(RemoteCommandList.text(.inspect)) }
        let (name, arguments) = try call.request(.inspect)
        let run = try global.remoteRun(Application.self, remote, command: name)
        let replies = try await run.replies(name, arguments)
        if remote.json {
            ConsoleStream.output.writeLine(JSONText.line(RemoteCommandRun.map(replies)))
        } else {
            run.showFooter(replies)
        }
    }
}
