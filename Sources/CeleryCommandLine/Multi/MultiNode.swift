/// One worker of `multi`: its name, its files, and the command that starts it.
///
/// Source of the rules: `Node` and `MultiParser` of `celery.apps.multi`.
struct MultiNode: Sendable, Hashable {
    /// How workers are started, unless options say otherwise.
    struct Launcher: Sendable, Hashable {
        /// The executable of the workers.
        var executable: String
        /// What stands before the worker's options.
        var command = ["worker", "--detach"]
        /// The name of this machine.
        var machine: String
    }

    /// Options that stand before the command, for its executable itself.
    private static let globalOptions: Set<String> = [
        "-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir", "-C", "--no-color",
        "-q",
        "--quiet",
    ]
    private static let pathOptions: Set<String> = ["--workdir", "--pidfile", "-p", "--logfile", "-f"]
    private static let defaultPidfile = "/var/run/celery/%n.pid"
    private static let defaultLogfile = "/var/log/celery/%n%I.log"

    /// The whole name: `celery1@host`.
    let name: String
    /// The executable that is started.
    let executable: String
    /// Its arguments, each as it stands in Celery's list: an option with its value is one element.
    let elements: [[String]]
    /// The file with the worker's process id.
    let pidfile: String
    /// The log of the worker itself.
    let logfile: String

    /// The words that the executable is started with.
    var arguments: [String] { elements.flatMap { $0 } }

    /// Puts a node together.
    ///
    /// - Throws: `OptionError` for a template with an unknown letter.
    init(name: String, launcher: Launcher, options: OptionList, append: String?, passthrough: [String]) throws {
        let letters = NodePattern.node(name)
        func expand(_ text: String) throws -> String { try NodePattern.expand(text, letters) }
        self.name = name
        var options = options
        options["-n"] = .some(name)
        pidfile = try Self.file(["--pidfile", "-p"], Self.defaultPidfile, &options, name)
        logfile = try Self.file(["--logfile", "-f"], Self.defaultLogfile, &options, name)
        executable = Self.home(options.popText("--executable") ?? launcher.executable)
        var global: [[String]] = []
        var own: [[String]] = []
        for option in options.all {
            var value = try option.value.map(expand)
            if Self.pathOptions.contains(option.name) { value = value.map(Self.home) }
            if Self.globalOptions.contains(option.name) {
                // Celery puts each in front of those before it.
                global.insert(Self.words(option.name, value), at: 0)
            } else {
                own.append(Self.words(option.name, value))
            }
        }
        let command = try launcher.command.map(expand)
        elements =
            global + [command] + own + (passthrough.isEmpty ? [] : [passthrough])
            + (try append.map { [try expand($0).split(separator: " ").map(String.init)] } ?? [])
    }

    /// A file of the node: what its process makes of the option, which is put in where it is missing.
    private static func file(
        _ names: [String],
        _ template: String,
        _ options: inout OptionList,
        _ node: String
    ) throws -> String {
        let given = names.first { options[$0] != nil }
        if let given, (options[given] ?? nil) == nil { throw OptionError("\(given) needs a value") }
        let value = given.flatMap { options[$0] ?? nil } ?? template
        if given == nil { options[names[0]] = .some(template) }
        // The worker expands what `multi` has expanded once more.
        let once = try NodePattern.expand(value, NodePattern.node(node))
        var letters = NodePattern.machine(NodePattern.split(node).host)
        letters["n"] = NodePattern.split(node).short
        letters["p"] = node
        return home(try NodePattern.expand(once, letters))
    }

    private static func words(_ name: String, _ value: String?) -> [String] {
        guard let value, !value.isEmpty else { return [name] }
        return name.hasPrefix("--") ? ["\(name)=\(value)"] : [name, value]
    }

    /// A path with the user's home in the place of its `~`.
    private static func home(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/") else { return path }
        return CommandEnvironment.process.all["HOME"].map { $0 + path.dropFirst() } ?? path
    }
}

extension MultiNode {
    /// Most nodes that one command has.
    private static let mostNodes = 10_000

    /// The nodes that arguments name: names, or one number.
    ///
    /// - Throws: `OptionError` for options that cannot be understood, or concern a node that is not there.
    static func nodes(_ arguments: NamespacedOptions, launcher: Launcher) throws -> [MultiNode] {
        var launcher = launcher
        var arguments = arguments
        var options = arguments.options
        if let command = options.popText("--cmd") { launcher.command = command.split(separator: " ").map(String.init) }
        let append = options.popText("--append")
        let short = options.popText("-n")
        let hostname = options.popText("--hostname") ?? short ?? launcher.machine
        let prefix = options.popText("--prefix") ?? ""
        let given = options.popText("--suffix") ?? ""
        let suffix = given.isEmpty ? hostname : ["\"\"", "''"].contains(given) ? "" : given
        let rangePrefix = options.popText("--range-prefix") ?? ""
        var names = arguments.values
        let count = names.count == 1 ? Int(names[0]) : nil
        if let count {
            guard count <= mostNodes else { throw OptionError("at most \(mostNodes) nodes, got \(count)") }
            names = count > 0 ? (1...count).map(String.init) : []
            try arguments.nameIndexes(names)
            try arguments.splitLists(withRanges: true)
        } else {
            try arguments.splitLists(withRanges: false)
            try arguments.nameIndexes(names)
        }
        let before = count == nil ? prefix : rangePrefix.isEmpty ? "celery" : rangePrefix
        return try names.map { name in
            let node = try fullName(name, prefix: before, suffix: suffix, machine: launcher.machine)
            let namespace = name.contains("@") ? NodePattern.split(node).short : name
            var merged = options
            if let own = arguments.namespace(node) ?? arguments.namespace(namespace) { merged.merge(own) }
            return try MultiNode(
                name: node,
                launcher: launcher,
                options: merged,
                append: append,
                passthrough: arguments.passthrough
            )
        }
    }

    private static func fullName(
        _ name: String,
        prefix: String,
        suffix: String,
        machine: String
    ) throws -> String {
        try NodePattern.expand(
            name.contains("@") ? name : "\(prefix)\(name)@\(suffix)",
            NodePattern.machine(machine)
        )
    }
}

extension NamespacedOptions {
    /// Most numbers that one range may stand for.
    private static let mostNumbers = 100_000

    /// Gives the options of a number to the node of that number, counted from 1.
    fileprivate mutating func nameIndexes(_ names: [String]) throws {
        for (name, options) in namespaces where name.allSatisfy(\.isNumber) && !name.isEmpty {
            guard let index = Int(name), (1...max(names.count, 1)).contains(index), !names.isEmpty else {
                throw OptionError("there is no node number \(name); the first one is 1")
            }
            update(names[index - 1]) { $0.merge(options) }
        }
    }

    /// Gives the options of a list, or of a range where nodes are numbers, to each of its members.
    fileprivate mutating func splitLists(withRanges: Bool) throws {
        for (name, options) in namespaces where name.contains(",") || (withRanges && name.contains("-")) {
            for member in try Self.members(name, withRanges: withRanges) { update(member) { $0.merge(options) } }
            remove(name)
        }
    }

    private static func members(_ list: String, withRanges: Bool) throws -> [String] {
        try list.split(separator: ",", omittingEmptySubsequences: false).flatMap { part -> [String] in
            guard withRanges, part.contains("-") else { return [String(part)] }
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count == 2, let low = ends[0], let high = ends[1] else {
                throw OptionError("'\(part)' is no range of nodes, such as 1-3")
            }
            guard high - low < mostNumbers else { throw OptionError("the range '\(part)' is too long") }
            return low <= high ? (low...high).map(String.init) : []
        }
    }
}
