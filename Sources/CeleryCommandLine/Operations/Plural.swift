/// A number with its noun, in the plural where that is right.
enum Plural {
    /// `1 queue`, `2 queues`.
    static func of(_ count: Int, _ noun: String) -> String { "\(count) \(Self.noun(count, noun))" }

    /// `queue`, `queues`.
    static func noun(_ count: Int, _ noun: String) -> String { count == 1 ? noun : "\(noun)s" }
}
