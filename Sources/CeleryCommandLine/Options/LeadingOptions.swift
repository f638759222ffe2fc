/// The options before the command's name that have to be acted on before anything else is read.
struct LeadingOptions: Sendable, Hashable {
    /// The value of `-A`/`--app`.
    var application: String?
    /// The value of `--workdir`.
    var workingDirectory: String?
    /// All other arguments, in their order.
    var remaining: [String] = []

    /// Takes `-A`, `--app` and `--workdir` out of the arguments, up to the first that is not an option.
    ///
    /// An option without its value stays where it is, for the parser to complain.
    init(parsing arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.first, argument.hasPrefix("-"), argument != "--", argument != "-" {
            rest = rest.dropFirst()
            if let value = Self.joinedValue(of: argument, name: "--app") ?? Self.joinedValue(of: argument, letter: "-A")
            {
                application = value
            } else if let value = Self.joinedValue(of: argument, name: "--workdir") {
                workingDirectory = value
            } else if ["-A", "--app"].contains(argument), let value = rest.popFirst() {
                application = value
            } else if argument == "--workdir", let value = rest.popFirst() {
                workingDirectory = value
            } else {
                remaining.append(argument)
                if ["-b", "--broker", "--config"].contains(argument), let value = rest.popFirst() {
                    remaining.append(value)
                }
            }
        }
        remaining.append(contentsOf: rest)
    }

    private static func joinedValue(of argument: String, name: String) -> String? {
        argument.hasPrefix(name + "=") ? String(argument.dropFirst(name.count + 1)) : nil
    }

    private static func joinedValue(of argument: String, letter: String) -> String? {
        argument.hasPrefix(letter) && argument.count > letter.count ? String(argument.dropFirst(letter.count)) : nil
    }
}
