import CeleryProtocol

/// How a reply is compared with the one that Celery's worker gave to the same request.
enum ReplyMatch: Sendable {
    /// Equal.
    case equal
    /// The same keys in the same order with values of the same types; of a longer or shorter list each
    /// element is like the captured first. A task's arguments are the captured ones.
    case shape
    /// A text in place of the captured one, of the same key.
    case text
    /// The same, but for the order within a Python set's text.
    case set
    /// Nothing may come.
    case silence

    /// What is different; nil where nothing is.
    func difference(_ reply: JSONValue, from captured: JSONValue) -> String? {
        switch self {
        case .equal: reply == captured ? nil : "\(reply) is not \(captured)"
        case .shape: Self.difference(reply, captured, at: "reply")
        case .text:
            reply.objectValue?.keys == captured.objectValue?.keys && Self.isText(reply) ? nil : "\(reply) is no text"
        case .set: Self.sorted(reply) == Self.sorted(captured) ? nil : "\(reply) is not \(captured)"
        case .silence: "\(reply) came"
        }
    }

    private static func isText(_ value: JSONValue) -> Bool {
        if case .object(let entries) = value { return entries.values.allSatisfy { $0.stringValue != nil } }
        return value.stringValue != nil
    }

    private static func sorted(_ value: JSONValue) -> [Character] { "\(value)".filter { $0 != "," }.sorted() }

    private static func difference(_ value: JSONValue, _ captured: JSONValue, at path: String) -> String? {
        switch (value, captured) {
        case (.object(let entries), .object(let expected)) where path.hasSuffix(".total") || path.hasSuffix(".kwargs"):
            return entries.values.first.flatMap { first in
                expected.values.first.flatMap { difference(first, $0, at: path + ".*") }
            }
        case (.object(let entries), .object(let expected)):
            guard Array(entries.keys) == Array(expected.keys) else {
                return "\(path): \(Array(entries.keys)) are not \(Array(expected.keys))"
            }
            return expected.lazy.compactMap { difference(entries[$0.key] ?? .null, $0.value, at: "\(path).\($0.key)") }
                .first
        case (.array(let elements), .array(let expected)):
            if path.hasSuffix(".args") {
                return elements == expected ? nil : "\(path): \(elements) are not \(expected)"
            }
            if elements.count == expected.count {
                return zip(elements, expected).enumerated().lazy
                    .compactMap { difference($1.0, $1.1, at: "\(path)[\($0)]") }.first
            }
            guard let like = expected.first else { return nil }
            return elements.enumerated().lazy.compactMap { difference($1, like, at: "\(path)[\($0)]") }.first
        // What may be there or not.
        case (.null, _) where isNullable(path), (_, .null) where isNullable(path): return nil
        case (.null, .null), (.bool, .bool), (.int, .int), (.double, .double), (.string, .string): return nil
        default: return "\(path): \(value) is of another type than \(captured)"
        }
    }

    private static func isNullable(_ path: String) -> Bool {
        [".priority", ".worker_pid", ".time_start"].contains { path.hasSuffix($0) }
    }
}
