import CSystemShims

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension NodeSignal {
    /// Ends a worker when its tasks have finished.
    static let terminate = NodeSignal(number: SIGTERM, name: "SIGTERM")
    /// Ends a process at once.
    static let kill = NodeSignal(number: SIGKILL, name: "SIGKILL")

    /// The last signal among arguments, `-TERM`, `-SIGQUIT` or `-9`; SIGTERM without one.
    static func last(in arguments: [String]) -> NodeSignal {
        arguments.reversed().lazy.compactMap(NodeSignal.init(argument:)).first ?? .terminate
    }

    /// The signal that an option stands for; nil for another option.
    init?(argument: String) {
        guard argument.hasPrefix("-") else { return nil }
        let text = argument.dropFirst()
        if let number = Int32(text), (0..<65).contains(number) {
            self.init(number: number, name: Self.common.first { $0.value == number }?.key ?? "\(number)")
            return
        }
        // Options of one capital letter are no signals.
        guard text.count > 1, text == text.uppercased() else { return nil }
        let name = text.hasPrefix("SIG") ? String(text) : "SIG\(text)"
        let number = swc_signal_number(name)
        guard number > 0 else { return nil }
        self.init(number: number, name: name)
    }

    private static let common = [
        "SIGHUP": SIGHUP, "SIGINT": SIGINT, "SIGQUIT": SIGQUIT, "SIGKILL": SIGKILL, "SIGUSR1": SIGUSR1,
        "SIGUSR2": SIGUSR2, "SIGTERM": SIGTERM,
    ]
}
