/// What `inspect --list` and `control --list` show.
enum RemoteCommandList {
    /// Widest name and signature that has its help beside it.
    private static let widest = 36

    static func text(_ kind: RemoteCommand.Kind) -> String {
        let commands = RemoteCommand.all(kind)
        let title = kind == .inspect ? "Inspect Commands:" : "Control Commands:"
        let lines = commands.flatMap { command in
            let name = command.signature.isEmpty ? command.name : "\(command.name) \(command.signature)"
            guard name.count > widest else { return ["  \(DisplayText.padded(name, to: widest))  \(command.help)"] }
            return ["  \(name)", String(repeating: " ", count: widest + 4) + command.help]
        }
        return ([title] + lines).joined(separator: "\n")
    }
}
