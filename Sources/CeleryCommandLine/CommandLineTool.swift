import ArgumentParser
import CSystemShims
import CeleryWorker
import FoundationEssentials
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Reads arguments, runs the command that they ask for, and turns every outcome into an exit code.
struct CommandLineTool<Application: CeleryApplication> {
    /// What reading the arguments comes to.
    enum Reading {
        /// A command to run.
        case command(any AsyncParsableCommand)
        /// Nothing to run: help, the version, or a complaint about the arguments.
        case text(String, CommandStatus)
    }

    let variables: CommandEnvironment

    /// Runs with the process's arguments and ends the process.
    func runAndExit() async -> Never {
        swc_descriptors_open_standard()
        if PoolChild.isStarted { await runChild() }
        let name = CommandLine.arguments.first ?? ""
        let folder = FileManager.default.currentDirectoryPath
        exit(await run(Array(CommandLine.arguments.dropFirst()), startedAs: name, in: folder).code)
    }

    /// Becomes a child process of a worker, whose arguments do not concern it.
    private func runChild() async -> Never {
        await PoolChild.run { start in
            let logFile = ChildLog.file(for: start.name)
            let isColored = logFile == nil && ConsoleStream.error.isTerminal && variables[.noColor] == nil
            var logging = LoggingOptions(level: start.logLevel, isColored: isColored)
            logging.logFile = logFile
            logging.processName = start.name
            Application.bootstrapLogging(logging)
            var registry = TaskRegistry()
            try Application.register(&registry)
            return (registry, Logger(label: "celery.worker"))
        }
    }

    /// Runs the command and says with which code the process is to end.
    func run(_ arguments: [String], startedAs name: String = "", in folder: String = "") async -> CommandStatus {
        do {
            let leading = LeadingOptions(parsing: JoinedOptions.separated(arguments))
            try prepare(leading)
            switch read(leading.remaining) {
            case .text(let text, let status):
                (status == .success ? ConsoleStream.output : .error).writeLine(text)
                return status
            case .command(let command):
                let start = ProcessStart(name: name, arguments: leading.remaining, folder: folder)
                try await ProcessStart.$current.withValue(start) {
                    var command = command
                    try await command.run()
                }
                return .success
            }
        } catch let failure as CommandFailure {
            DetachedStart.reportFailure(failure.message)
            if !failure.message.isEmpty { ConsoleStream.error.writeLine("Error: \(failure.message.trimmedEnd)") }
            return failure.status
        } catch {
            let (text, status) = outcome(of: error)
            if status != .success { DetachedStart.reportFailure(text) }
            if !text.isEmpty { (status == .success ? ConsoleStream.output : .error).writeLine(text) }
            return status
        }
    }

    /// Reads the arguments without running anything.
    func read(_ arguments: [String]) -> sending Reading {
        do {
            var command = try RootCommand<Application>.parseAsRoot(JoinedOptions.separated(arguments))
            if let command = command as? any AsyncParsableCommand { return .command(command) }
            // The parser's own commands, which show help, throw what is to be shown.
            try command.run()
            return .text("", .success)
        } catch {
            let (text, status) = outcome(of: error)
            guard status == .usage, let remark = ForeignOptions.remark(on: arguments) else {
                return .text(text, status)
            }
            return .text("\(text)\n\(remark)", status)
        }
    }

    /// Changes the folder and becomes another application, where that was asked for.
    private func prepare(_ leading: LeadingOptions) throws {
        if let folder = leading.workingDirectory, !FileManager.default.changeCurrentDirectoryPath(folder) {
            throw CommandFailure("Cannot change to the folder '\(folder)' (--workdir)", status: .usage)
        }
        let named = Application.self is any StartsNamedApplication.Type ? variables[.application] : nil
        if let application = leading.application ?? named {
            try ApplicationLoader(name: application).execute(arguments: leading.remaining)
        }
    }

    private func outcome(of error: any Error) -> (String, CommandStatus) {
        let code = RootCommand<Application>.exitCode(for: error)
        let text = RootCommand<Application>.fullMessage(for: error)
        switch code {
        case .success: return (text, .success)
        case .validationFailure: return (text, .usage)
        default: return (text, CommandStatus(code: code.rawValue))
        }
    }
}

extension String {
    /// The text without line ends behind it.
    fileprivate var trimmedEnd: Substring {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return text
    }
}
