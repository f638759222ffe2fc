import CeleryProtocol

/// The bindings of a broker, as its management API tells them and Celery's `list bindings` shows them.
struct BindingList: Sendable, Hashable {
    /// One binding.
    struct Entry: Sendable, Hashable {
        /// The queue, or the exchange, that is bound.
        let destination: String
        /// The exchange; empty for the default one.
        let source: String
        let routingKey: String
    }

    let entries: [Entry]
    /// The answer itself, for `--json`.
    let json: JSONValue

    /// Reads an answer of `/api/bindings`.
    ///
    /// - Throws: `CommandFailure` for another answer.
    init(parsing body: [UInt8]) throws {
        guard let json = try? JSONValue(parsing: body, limits: JSONLimits(loneSurrogates: .replace)),
            case .array(let elements) = json
        else { throw CommandFailure("The management API has answered something else than bindings.") }
        self.json = json
        entries = elements.compactMap { element in
            guard case .object(let binding) = element, case .string(let destination)? = binding["destination"],
                case .string(let source)? = binding["source"], case .string(let key)? = binding["routing_key"]
            else { return nil }
            return Entry(destination: destination, source: source, routingKey: key)
        }
    }

    /// Celery's table.
    var table: String {
        let rule = String(repeating: "-", count: 16)
        let rows = [("Queue", "Exchange", "Routing Key"), (rule, rule, rule)]
        return (rows.map(Self.line) + entries.map { Self.line($0.destination, $0.source, $0.routingKey) })
            .joined(separator: "\n")
    }

    private static func line(_ queue: String, _ exchange: String, _ key: String) -> String {
        "\(Columns.padded(queue, 28)) \(Columns.padded(exchange, 28)) \(key)"
    }
}
