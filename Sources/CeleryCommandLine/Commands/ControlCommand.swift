import ArgumentParser
import Celery

/// `control COMMAND`: changes workers.
struct ControlCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "control",
            abstract: "Send the COMMAND control command to the workers.",
            usage: "\(ExecutableName.current) control [options] <command> [arguments]",
            discussion: """
                --list shows the commands and their arguments. Ends with the exit code 69 where no worker replies, as \
                after 'shutdown', which workers do not reply to.
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
        try call.requireCommand(.control)
    }

    func run() async throws {
        if call.list { return ConsoleStream.output.writeLine(RemoteCommandList.text(.control)) }
        let (name, arguments) = try call.request(.control)
        let run = try global.remoteRun(Application.self, remote, command: name)
        let replies = try await run.replies(name, arguments)
        if remote.json { ConsoleStream.output.writeLine(JSONText.line(RemoteCommandRun.list(replies))) }
    }
}
