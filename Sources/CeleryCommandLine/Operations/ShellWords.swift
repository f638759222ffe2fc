/// Words of a command line, quoted and split as a shell does it (Python's `shlex`).
enum ShellWords {
    /// Splits a line at white space outside of quotes.
    ///
    /// - Throws: `OptionError` for a quote that does not end.
    static func split(_ line: String) throws -> [String] {
        var words: [String] = []
        var word: String?
        var rest = line[...]
        while let character = rest.popFirst() {
            switch character {
            case "'":
                word = (word ?? "") + (try quoted(&rest, by: character))
            case "\"":
                word = (word ?? "") + (try quoted(&rest, by: character))
            case "\\":
                guard let next = rest.popFirst() else { throw OptionError("a backslash ends the line") }
                word = (word ?? "") + String(next)
            case _ where character.isWhitespace:
                if let done = word { words.append(done) }
                word = nil
            default:
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    private static func quoted(_ rest: inout Substring, by quote: Character) throws -> String {
        var text = ""
        while let character = rest.popFirst() {
            if character == quote { return text }
            // Between double quotes a backslash protects these two only; between single ones nothing.
            if character == "\\", quote == "\"", let next = rest.first, next == "\"" || next == "\\" {
                text.append(rest.removeFirst())
            } else {
                text.append(character)
            }
        }
        throw OptionError("a quotation mark (\(quote)) is missing")
    }

    /// A word as a shell has to be told of it.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "@%+=:,./-_".utf8.contains(byte)
            }
        }
        return plain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\"'\"'"))'"
    }
}
