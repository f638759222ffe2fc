internal import AMQP

/// An exchange of the broker in memory, with the bindings that lead away from it.
struct MemoryExchange {
    /// What a binding leads to.
    enum Destination: Hashable {
        case queue(String)
        case exchange(String)
    }

    /// A way from the exchange to a queue or another exchange.
    struct Binding: Hashable {
        var destination: Destination
        var routingKey: String
        var arguments: FieldTable
    }

    /// The types that exist.
    static let types: Set<String> = ["direct", "fanout", "topic"]

    var declaration: ExchangeDeclaration
    private(set) var bindings: [Binding] = []

    init(_ declaration: ExchangeDeclaration) {
        self.declaration = declaration
    }

    /// Where a message with this key goes.
    func destinations(for routingKey: String) -> [Destination] {
        switch declaration.type {
        case "fanout": bindings.map(\.destination)
        case "topic": bindings.filter { Self.topic($0.routingKey, matches: routingKey) }.map(\.destination)
        default: bindings.filter { $0.routingKey == routingKey }.map(\.destination)
        }
    }

    mutating func bind(_ binding: Binding) {
        if !bindings.contains(binding) { bindings.append(binding) }
    }

    /// Removes bindings; answers whether the exchange, being auto-delete, goes with the last one.
    mutating func unbind(where isMeant: (Binding) -> Bool) -> Bool {
        let before = bindings.count
        bindings.removeAll(where: isMeant)
        return declaration.autoDelete && bindings.isEmpty && before > 0
    }

    /// Matches words separated by points: `*` stands for one word, `#` for any number of them.
    static func topic(_ pattern: String, matches key: String) -> Bool {
        let pattern = pattern.split(separator: ".", omittingEmptySubsequences: false)
        let words = key.isEmpty ? [] : key.split(separator: ".", omittingEmptySubsequences: false)
        // reachable[n]: the pattern so far matches the first n words.
        var reachable = [Bool](repeating: false, count: words.count + 1)
        reachable[0] = true
        for part in pattern where !(pattern.count == 1 && part.isEmpty && words.isEmpty) {
            var next = [Bool](repeating: false, count: words.count + 1)
            for (count, isReachable) in reachable.enumerated() where isReachable {
                if part == "#" {
                    for end in count...words.count { next[end] = true }
                } else if count < words.count, part == "*" || part == words[count] {
                    next[count + 1] = true
                }
            }
            reachable = next
        }
        return reachable[words.count]
    }
}
