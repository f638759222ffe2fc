import AMQP

/// How a child process has ended, in billiard's words.
///
/// Source: `billiard.common.human_status`.
struct ProcessExit: Sendable, Hashable, CustomStringConvertible {
    let status: ChildHandle.Exit

    /// `signal 9 (SIGKILL)`, or `exitcode 3`.
    var description: String {
        switch status {
        case .code(let code): "exitcode \(code)"
        case .signal(let number): Self.names[number].map { "signal \(number) (\($0))" } ?? "signal \(number)"
        case .unknown: "exitcode None"
        }
    }

    /// The signal that nothing survives.
    static let killSignal = ChildHandle.number(ofSignal: "SIGKILL") ?? 9

    private static let names: [Int32: String] = {
        let names = [
            "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
            "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSYS", "SIGXCPU", "SIGXFSZ",
        ]
        let pairs = names.compactMap { name in ChildHandle.number(ofSignal: name).map { ($0, name) } }
        return Dictionary(pairs) { first, _ in first }
    }()
}
