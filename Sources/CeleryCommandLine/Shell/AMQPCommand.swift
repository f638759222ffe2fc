import ArgumentParser
import Celery

/// `amqp`: exchanges, queues and messages by hand, one instruction or many.
struct AMQPCommand<Application: CeleryApplication>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "amqp",
            abstract: "AMQP administration shell.",
            usage: "\(ExecutableName.current) amqp [<command> <arguments> …]",
            discussion: """
                Commands:
                \(ShellInstruction.usages.map { "  \($0)" }.joined(separator: "\n"))
                  repl

                Arguments in brackets are true or false, and false where they are left out. Without a command, and with \
                'repl', commands are read from standard input, a line each, quoted as in a shell, until 'exit' or its end.

                Messages are published with confirms: one that is mandatory and that no queue takes is an error. What \
                basic.get has brought goes back to its queue at the end, unless it was acknowledged (basic.ack), or \
                got with no_ack. The exit code is 1 where a command failed.
                """
        )
    }

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command"),
        completion: .list(ShellInstruction.names + ["repl"])
    )
    var words: [String] = []

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let access = try BrokerAccess(Application.self, global: global, command: "amqp")
        let isTerminal = ConsoleStream.output.isTerminal
        let isQuiet = global.quiet
        let output = ShellSession.Output(
            isColored: isTerminal && !global.noColor && CommandEnvironment.process[.noColor] == nil,
            line: { line in
                if !isQuiet || !line.hasPrefix("-> ") { ConsoleStream.output.writeLine(line) }
            },
            complaint: { ConsoleStream.error.writeLine($0) }
        )
        // Needless here, as every word is taken as it is, but Celery's users write it before a message with a dash.
        var words = words
        if let index = words.firstIndex(of: "--") { words.remove(at: index) }
        let isInteractive = words.isEmpty || words == ["repl"]
        let instruction = isInteractive ? nil : try CommandFailure.usage { try ShellInstruction(words: words) }
        var session = ShellSession(access: access, output: output)
        try await session.connect()
        let isSuccess: Bool
        if let instruction {
            isSuccess = await session.perform(instruction)
        } else {
            isSuccess = await ShellLoop.console.run(&session, output)
        }
        await session.close()
        guard isSuccess else { throw CommandFailure("") }
    }
}
