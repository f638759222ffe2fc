/// Which queues are migrated, and what they are called at the other end: Celery's `--queues old:new,other`.
struct QueueMap: Sendable, Hashable {
    /// The queues in the order given; a name without a colon stays.
    let pairs: [(old: String, new: String)]

    /// No renaming: whatever queues the configuration knows.
    static let none = QueueMap(pairs: [])

    private init(pairs: [(old: String, new: String)]) {
        self.pairs = pairs
    }

    /// Reads a list.
    ///
    /// - Throws: `OptionError` where no name remains, or a name has more than one colon.
    init(parsing text: String) throws {
        pairs = try QueueNames(parsing: text).names.map { name in
            let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty }) else {
                throw OptionError("'\(name)' is neither a queue nor old:new")
            }
            return (parts[0], parts[parts.count - 1])
        }
    }

    /// What a queue, an exchange or a routing key of this name is called at the other end.
    func renamed(_ name: String) -> String { pairs.last { $0.old == name }?.new ?? name }

    static func == (left: QueueMap, right: QueueMap) -> Bool {
        left.pairs.map(\.old) == right.pairs.map(\.old) && left.pairs.map(\.new) == right.pairs.map(\.new)
    }

    func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.old)
            hasher.combine(pair.new)
        }
    }
}
