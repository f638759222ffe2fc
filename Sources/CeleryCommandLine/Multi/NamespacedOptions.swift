/// The arguments of `multi`: names of nodes, and options for all nodes or, with a colon, for some: `-c 3 -c:1-3 10`.
///
/// Source of the rules: `NamespacedOptionParser` of `celery.apps.multi`.
struct NamespacedOptions: Sendable, Hashable {
    /// An option with its dashes, and its value where it has one.
    struct Option: Sendable, Hashable {
        let name: String
        var value: String?
    }

    /// What is no option: names of nodes, or their number.
    private(set) var values: [String] = []
    /// The options of all nodes, each at the place of its first mention, with the last value.
    private(set) var options = OptionList()
    /// The options of some nodes, by what stands behind the colon; in the order of their first mention.
    private(set) var namespaces: [(name: String, options: OptionList)] = []
    /// `--` and everything behind it, for the workers as it is; empty without.
    private(set) var passthrough: [String] = []

    /// Reads arguments; empty ones are left out.
    ///
    /// - Throws: `OptionError` for an option with two colons, and for a lone dash.
    init(parsing arguments: [String]) throws {
        var rest = arguments.filter { !$0.isEmpty }[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                passthrough = [argument] + rest
                return
            }
            if argument.hasPrefix("--") {
                try addLong(argument)
            } else if argument.hasPrefix("-") {
                guard argument != "-" else { throw OptionError("'-' is neither a node nor an option") }
                let value = rest.first.map { $0.hasPrefix("-") } == false ? rest.popFirst() : nil
                try add(argument, value)
            } else {
                values.append(argument)
            }
        }
    }

    /// A long option has its value behind an equals sign only.
    private mutating func addLong(_ argument: String) throws {
        guard let sign = argument.firstIndex(of: "=") else { return try add(argument, nil) }
        try add(String(argument[..<sign]), String(argument[argument.index(after: sign)...]))
    }

    private mutating func add(_ name: String, _ value: String?) throws {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: options[parts[0]] = .some(value)
        case 2: update(parts[1]) { $0[parts[0]] = .some(value) }
        default: throw OptionError("more than one colon in '\(name)'")
        }
    }

    /// The options of one namespace; none where nobody mentioned it.
    func namespace(_ name: String) -> OptionList? { namespaces.first { $0.name == name }?.options }

    /// Changes the options of a namespace, which is made where it is missing.
    mutating func update(_ name: String, _ change: (inout OptionList) -> Void) {
        if let index = namespaces.firstIndex(where: { $0.name == name }) {
            change(&namespaces[index].options)
        } else {
            var list = OptionList()
            change(&list)
            namespaces.append((name, list))
        }
    }

    /// Takes options of all nodes away.
    mutating func removeOptions(where isUnwanted: (Option) -> Bool) {
        for option in options.all where isUnwanted(option) { options[option.name] = nil }
    }

    /// Takes a namespace away.
    mutating func remove(_ name: String) { namespaces.removeAll { $0.name == name } }

    static func == (left: NamespacedOptions, right: NamespacedOptions) -> Bool {
        left.values == right.values && left.options == right.options && left.passthrough == right.passthrough
            && left.namespaces.map(\.name) == right.namespaces.map(\.name)
            && left.namespaces.map(\.options) == right.namespaces.map(\.options)
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(values)
        hasher.combine(options)
        hasher.combine(passthrough)
    }
}

/// Options by their names, in the order of their first mention: Python's `OrderedDict`.
struct OptionList: Sendable, Hashable {
    private(set) var all: [NamespacedOptions.Option] = []

    /// The value of an option: nil where the option is not there, `.some(nil)` where it has no value.
    subscript(name: String) -> String?? {
        get { all.first { $0.name == name }.map(\.value) }
        set {
            let index = all.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, .some(let value)): all[index].value = value
            case (let index?, nil): all.remove(at: index)
            case (nil, .some(let value)): all.append(.init(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Takes an option out: nil where it was not there.
    mutating func pop(_ name: String) -> String?? {
        let value = self[name]
        self[name] = nil
        return value
    }

    /// The text of an option that may be there without a value, which counts as absent.
    mutating func popText(_ name: String) -> String? { pop(name) ?? nil }

    /// Puts the other options in, over those of the same names.
    mutating func merge(_ other: OptionList) {
        for option in other.all { self[option.name] = .some(option.value) }
    }
}
