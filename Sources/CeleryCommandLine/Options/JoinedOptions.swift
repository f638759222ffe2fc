/// Writes short options whose value is joined to them, `-c4` or `-Qa,b`, as two arguments, which Celery's users do and
/// which the parser would take for a bundle of flags.
enum JoinedOptions {
    /// The one-letter options that take a value, in any command.
    private static let letters: Set<Character> = [
        "A", "b", "Q", "X", "c", "n", "l", "P", "a", "k", "O", "S", "f", "t", "d",
    ]

    /// Commands whose letters mean something else: what is a flag there, and what takes a value there alone.
    private static let exceptions: [String: (flags: Set<Character>, values: Set<Character>)] = [
        "purge": (["f"], []),
        "migrate": (["a"], ["t", "T"]),
        "result": ([], ["t"]),
    ]

    /// Options before the command whose value is an argument of its own.
    private static let longOptions: Set<String> = ["--app", "--broker", "--config", "--workdir"]

    /// Commands that read their arguments themselves.
    private static let untouched: Set<String> = ["multi", "amqp"]

    /// The same arguments with each such option apart from its value; what follows `--` is left alone.
    static func separated(_ arguments: [String]) -> [String] {
        var separated: [String] = []
        var letters = letters
        var command: String?
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if command == nil, !argument.hasPrefix("-"), !longOptions.contains(separated.last ?? "") {
                command = argument
                if untouched.contains(argument) { return separated + [argument] + rest }
                if let exception = exceptions[argument] {
                    letters = letters.subtracting(exception.flags).union(exception.values)
                }
            }
            if argument == "--" { return separated + [argument] + rest }
            let characters = Array(argument.prefix(3))
            guard characters.count >= 2, characters[0] == "-", letters.contains(characters[1]) else {
                separated.append(argument)
                continue
            }
            if characters.count == 2 {
                separated.append(argument)
                if let value = rest.popFirst() { separated.append(value) }
            } else if characters[2] == "=" {
                separated.append(argument)
            } else {
                separated.append(String(argument.prefix(2)))
                separated.append(String(argument.dropFirst(2)))
            }
        }
        return separated
    }
}
