internal import AMQP

/// How a declaration differs from what is there, in RabbitMQ's words; nil where it does not.
enum Inequivalence {
    static func complaint(_ existing: ExchangeDeclaration, _ wanted: ExchangeDeclaration) -> String? {
        let name = "exchange '\(existing.name)'"
        return difference("type", existing.type, wanted.type, name)
            ?? difference("durable", existing.durable, wanted.durable, name)
            ?? difference("auto_delete", existing.autoDelete, wanted.autoDelete, name)
            ?? difference("internal", existing.internal, wanted.internal, name)
            ?? difference(existing.arguments, wanted.arguments, name)
    }

    static func complaint(_ existing: QueueDeclaration, _ wanted: QueueDeclaration) -> String? {
        let name = "queue '\(existing.name)'"
        return difference("durable", existing.durable, wanted.durable, name)
            ?? difference("exclusive", existing.exclusive, wanted.exclusive, name)
            ?? difference("auto_delete", existing.autoDelete, wanted.autoDelete, name)
            ?? difference(existing.arguments, wanted.arguments, name)
    }

    private static func difference<Value: Equatable>(
        _ argument: String,
        _ existing: Value,
        _ wanted: Value,
        _ name: String
    ) -> String? {
        guard existing != wanted else { return nil }
        return text(argument, name, received: "'\(wanted)'", current: "'\(existing)'")
    }

    private static func difference(_ existing: FieldTable, _ wanted: FieldTable, _ name: String) -> String? {
        let (existing, wanted) = (existing.asDictionary, wanted.asDictionary)
        let argument = Set(existing.keys).union(wanted.keys).sorted().first { existing[$0] != wanted[$0] }
        guard let argument else { return nil }
        return text(argument, name, received: description(wanted[argument]), current: description(existing[argument]))
    }

    private static func text(_ argument: String, _ name: String, received: String, current: String) -> String {
        "PRECONDITION_FAILED - inequivalent arg '\(argument)' for \(name) in vhost '/': "
            + "received \(received) but current is \(current)"
    }

    private static func description(_ value: FieldValue?) -> String {
        switch value {
        case nil: "none"
        case .string(let text)?: "the value '\(text)' of type 'longstr'"
        case let value?: "the value '\(value.intValue.map(String.init) ?? "\(value)")'"
        }
    }
}

extension FieldTable {
    /// The fields without their order; numbers count by value, whatever their width.
    fileprivate var asDictionary: [String: FieldValue] {
        Dictionary(map { ($0.name, $0.value.intValue.map { .int64(Int64($0)) } ?? $0.value) }, uniquingKeysWith: { $1 })
    }
}
