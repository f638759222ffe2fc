#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Reads lines and has them carried out, until the end of the input or `exit`.
struct ShellLoop: Sendable {
    /// What stands before each line that a person types; nil where lines come from elsewhere.
    let prompt: String?
    /// Reads a line; nil at the end.
    let read: @Sendable () -> String?

    /// Standard input, with Celery's prompt where a person sits there.
    static var console: ShellLoop {
        ShellLoop(prompt: isatty(STDIN_FILENO) == 1 ? "> " : nil, read: { readLine() })
    }

    /// Runs to the end; answers whether every line went well.
    func run(_ session: inout ShellSession, _ output: ShellSession.Output) async -> Bool {
        var isSuccess = true
        while true {
            if let prompt { ConsoleStream.output.write(Array(prompt.utf8)) }
            guard let line = read() else {
                if prompt != nil { output.line("") }
                return isSuccess
            }
            do {
                switch try ShellInstruction(words: ShellWords.split(line)) {
                case nil: continue
                case .exit: return isSuccess
                case .help: for usage in ShellInstruction.usages + ["help", "exit"] { output.line(usage) }
                case let instruction?: isSuccess = await session.perform(instruction) && isSuccess
                }
            } catch {
                session.complain("\(error)")
                isSuccess = false
            }
        }
    }
}
