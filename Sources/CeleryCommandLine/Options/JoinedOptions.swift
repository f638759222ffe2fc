/// Writes short options whose value is joined to them, `-c4` or `-Qa,b`, as two arguments, which Celery's users do and
/// which the parser would take for a bundle of flags.
enum JoinedOptions {
    /// The one-letter options that take a value, in any command.
    private static let letters: Set<Character> = ["A", "b", "Q", "X", "c", "n", "l", "P", "a", "k", "O", "S", "f"]

    /// The same arguments with each such option apart from its value; what follows `--` is left alone.
    static func separated(_ arguments: [String]) -> [String] {
        var separated: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
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
