import ArgumentParser
import Celery
import FoundationEssentials

/// `multi`: starts and ends several workers of this machine.
struct MultiCommand<Application: CeleryApplication>: AsyncParsableCommand {
    /// The command's name, behind which all arguments are its own.
    static var name: String { "multi" }

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: name,
            abstract: "Start and stop several workers.",
            usage: "\(ExecutableName.current) multi <command> <number of nodes | names …> [options of the workers]",
            discussion: """
                start, restart and show take the options of the workers; stop, stopwait and restart a signal (-TERM, \
                -QUIT, -9), SIGTERM without one. stop does not wait for the end, stopwait does.

                  \(ExecutableName.current) multi start 3 -l INFO -c 4
                  \(ExecutableName.current) multi start images video data -c 3 -c:images 10 -Q:1,2 media -Q:data default
                  \(ExecutableName.current) multi start 10 -Q:1-3 images,video -Q:4,5 data -Q default -l:4,5 DEBUG
                  \(ExecutableName.current) multi restart 3 --pidfile=run/%n.pid --logfile=log/%n%I.log
                  \(ExecutableName.current) multi stopwait 3 --pidfile=run/%n.pid

                show prints the command line of each worker, names their names, get <name> the arguments of one, and \
                expand <template> what a template such as %n.pid becomes for each.

                An option with a colon concerns some workers only: a name, a number counted from 1, a list, or a range of \
                numbers. -n/--hostname, --prefix, --suffix and --range-prefix shape the names (celery1@host, celery2@host, …), \
                --cmd and --executable replace what is started, --append adds to the end of each command. Pidfiles go to \
                /var/run/celery/%n.pid and logs to /var/log/celery/%n%I.log, unless --pidfile and --logfile say \
                otherwise; a command has to be given the same ones as start. --nosplash, -q/--quiet, --verbose and \
                --no-color shape the output.
                """
        )
    }

    @Argument(parsing: .captureForPassthrough, help: "The command, the nodes, and their options.")
    var arguments: [String] = []

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run() async throws {
        let isColored = ConsoleStream.output.isTerminal && CommandEnvironment.process[.noColor] == nil
        let output = ConsoleStream.output
        let executable = ProcessStart.current?.executable ?? ExecutableName.current
        let tool = MultiTool(
            launcher: .init(executable: executable, machine: ProcessIdentity.host),
            processes: SystemNodeProcesses(),
            voice: MultiVoice(
                isQuiet: global.quiet,
                isColored: isColored && !global.noColor,
                write: { output.write(Array($0.utf8)) }
            ),
            help: MultiCommand.helpMessage(),
            splash: "\(ExecutableName.current) multi v\(Application.version)"
        )
        let isSuccess: Bool
        do {
            isSuccess = try await tool.run(Self.turned(ProcessStart.current?.arguments, orElse: arguments))
        } catch let error as OptionError {
            throw CommandFailure(error.description, status: .usage)
        }
        guard isSuccess else { throw CommandFailure("", status: .failure) }
    }

    /// The arguments behind the command's name, and behind them what stood before it: options of the workers, too.
    static func turned(_ all: [String]?, orElse given: [String]) -> [String] {
        guard let all, let index = all.firstIndex(of: name) else { return given }
        return Array(all[(index + 1)...] + all[..<index])
    }
}
