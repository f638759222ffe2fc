/// The values of `--queues` and `--exclude-queues`: names separated by commas.
struct QueueNames: Sendable, Hashable {
    /// The names in the order given, each once.
    let names: [String]

    /// Longest name of a queue that AMQP can carry, in bytes.
    private static let maximumLength = 255

    /// Reads a list; spaces around names are dropped, and so are empty names.
    ///
    /// - Throws: `OptionError` where no name remains, or one is too long.
    init(parsing text: String) throws {
        var seen: Set<String> = []
        names = text.split(separator: ",")
            .map { name in
                let start = name.drop(while: \.isWhitespace)
                return String(start.reversed().drop(while: \.isWhitespace).reversed())
            }
            .filter { !$0.isEmpty && seen.insert($0).inserted }
        guard !names.isEmpty else { throw OptionError("give at least one queue") }
        guard names.allSatisfy({ $0.utf8.count <= Self.maximumLength }) else {
            throw OptionError("the name of a queue has at most \(Self.maximumLength) bytes")
        }
    }
}
