/// Percent signs of `multi`'s templates, replaced as `celery.utils.nodenames.host_format` does.
enum NodePattern {
    /// Replaces `%` and a letter by what stands for it.
    ///
    /// - Throws: `OptionError` for a letter that stands for nothing.
    static func expand(_ template: String, _ letters: [Character: String]) throws -> String {
        var text = ""
        var rest = template[...]
        while let mark = rest.firstIndex(of: "%") {
            text += rest[..<mark]
            rest = rest[rest.index(after: mark)...]
            // Python's pattern is a percent sign and a character of a word, or a second percent sign.
            guard let letter = rest.first, letter == "%" || letter == "_" || letter.isLetter || letter.isNumber else {
                text += "%"
                continue
            }
            rest = rest.dropFirst()
            guard let value = letter == "%" ? "%" : letters[letter] else {
                throw OptionError("unknown format %\(letter) in '\(template)'")
            }
            text += value
        }
        return text + rest
    }

    /// The letters of a node's name that `multi` is given: `%h`, `%n` and `%d` are this machine's.
    static func machine(_ host: String) -> [Character: String] {
        let parts = host.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return ["h": host, "n": parts[0], "d": parts.count > 1 ? parts[1] : "", "i": "0", "I": ""]
    }

    /// The letters of a template for one node: `%h` is its whole name, `%d` its host, `%i` and `%I` stay for the worker.
    static func node(_ name: String) -> [Character: String] {
        let (short, host) = split(name)
        return ["n": short, "N": short, "d": host, "h": name, "p": name, "i": "%i", "I": "%I"]
    }

    /// A node's name before and behind its first `@`.
    static func split(_ name: String) -> (short: String, host: String) {
        let halves = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return halves.count == 2 ? (halves[0], halves[1]) : ("", name)
    }
}
