/// Reads the arguments of `multi` and does what they ask for.
///
/// Source of the rules: `MultiTool` of `celery.bin.multi`.
struct MultiTool<Processes: NodeProcesses>: Sendable {
    /// The commands, with Celery's older names.
    enum Verb: String, CaseIterable, Sendable {
        case start, show, stop, stopwait, restart, kill, names, expand, get, help
        case stopVerify = "stop_verify"
    }

    private static var quietOptions: Set<String> { ["-q", "--quiet"] }

    let launcher: MultiNode.Launcher
    let processes: Processes
    var voice: MultiVoice
    /// What `help` shows.
    let help: String
    /// Name and version, which come first.
    let splash: String

    /// Performs a command.
    ///
    /// - Parameter arguments: the verb and what follows it.
    /// - Returns: whether all went well.
    /// - Throws: `OptionError` for arguments that cannot be understood.
    func run(_ arguments: [String]) async throws -> Bool {
        var tool = self
        var (rest, showsSplash) = tool.takeReserved(arguments)
        guard let name = rest.first, !name.hasPrefix("-") else { throw OptionError("which command of multi?") }
        guard let verb = Verb(rawValue: name) else {
            let known = Verb.allCases.filter { $0 != .stopVerify }.map(\.rawValue).joined(separator: ", ")
            throw OptionError("'\(name)' is no command of multi: \(known)")
        }
        rest.removeFirst()
        let isAction = ![.names, .expand, .get, .show, .help].contains(verb)
        if isAction, showsSplash { tool.voice.note(tool.voice.cyan(splash)) }
        return try await tool.perform(verb, rest)
    }

    /// Takes the options that concern `multi` itself out of the arguments, each once.
    private mutating func takeReserved(_ arguments: [String]) -> (rest: [String], showsSplash: Bool) {
        var rest = arguments
        func take(_ option: String) -> Bool {
            guard let index = rest.firstIndex(of: option) else { return false }
            rest.remove(at: index)
            return true
        }
        let hidesSplash = take("--nosplash")
        for option in Self.quietOptions.sorted() where take(option) { voice.isQuiet = true }
        if take("--verbose") { voice.isVerbose = true }
        if take("--no-color") { voice.isColored = false }
        return (rest, !hidesSplash)
    }

    private func perform(_ verb: Verb, _ arguments: [String]) async throws -> Bool {
        switch verb {
        case .help:
            say(help)
            return true
        case .expand:
            guard let template = arguments.first else { throw OptionError("expand needs a template, such as %n.pid") }
            for node in try nodes(Array(arguments.dropFirst())) {
                say(try NodePattern.expand(template, NodePattern.node(node.name)))
            }
            return true
        case .get:
            guard let wanted = arguments.first else { throw OptionError("get needs the name of a node") }
            guard let node = try nodes(Array(arguments.dropFirst())).first(where: { $0.name == wanted }) else {
                return false
            }
            say(Self.line(node.arguments))
            return true
        case .names:
            for node in try nodes(arguments) { say(node.name) }
            return true
        case .show:
            for node in try nodes(arguments) { say(Self.line([node.executable] + node.arguments)) }
            return true
        case .start, .stop, .stopwait, .stopVerify, .restart, .kill:
            return try await performAction(verb, arguments)
        }
    }

    private func performAction(_ verb: Verb, _ arguments: [String]) async throws -> Bool {
        let nodes = try nodes(arguments)
        guard !nodes.isEmpty else { throw OptionError("name the nodes, or say how many: \(verb.rawValue) 3") }
        let cluster = MultiCluster(nodes: nodes, processes: processes, voice: voice)
        let signal = NodeSignal.last(in: arguments)
        switch verb {
        case .start: return cluster.start()
        case .restart: return try await cluster.restart(signal)
        case .kill: cluster.kill()
        default: try await cluster.stop(signal, waits: verb != .stop)
        }
        return true
    }

    private func nodes(_ arguments: [String]) throws -> [MultiNode] {
        var parsed = try NamespacedOptions(parsing: arguments)
        // A signal is for the old worker; the new one would not understand it.
        parsed.removeOptions { $0.value == nil && NodeSignal(argument: $0.name) != nil }
        return try MultiNode.nodes(parsed, launcher: launcher)
    }

    private func say(_ text: String) { voice.write(text + "\n") }

    /// Words as a shell reads them.
    private static func line(_ words: [String]) -> String {
        words.map(ShellWords.quoted).joined(separator: " ")
    }
}
