import AMQP
import Celery
import CeleryProtocol

// Commands about the queues that a worker consumes from.
extension ControlCommand {
    static let queues: [ControlCommand] = [addConsumer, cancelConsumer, activeQueues]

    /// How many queues a worker consumes from at most by this way: each has a channel.
    private static let mostQueues = 500

    private static let addConsumer = ControlCommand(
        "add_consumer",
        ControlSignature(["queue"], optional: ["exchange", "exchange_type", "routing_key"])
    ) { arguments, worker in
        let queue = try QueueRequest(arguments).queue(known: worker.parts.queueTable.all)
        guard worker.queues.count < mostQueues || worker.queues.contains(where: { $0.name == queue.name }) else {
            return .error("the worker consumes from \(worker.queues.count) queues already")
        }
        worker.addConsumer(queue: queue)
        return .ok(.string("add consumer \(queue.name)"))
    }

    private static let cancelConsumer = ControlCommand("cancel_consumer", ControlSignature(["queue"])) {
        arguments,
        worker in
        let name = try arguments.text("queue") ?? "None"
        worker.cancelConsumer(queue: name)
        return .ok(.string("no longer consuming from \(name)"))
    }

    private static let activeQueues = ControlCommand("active_queues", ControlSignature(takesOthers: false)) {
        _,
        worker in
        .reply(.array(worker.queues.map(\.shown)))
    }
}

/// A queue as `add_consumer` describes it, in the words of `kombu.entity.Queue.from_dict`.
struct QueueRequest {
    private let arguments: JSONObject

    init(_ arguments: JSONObject) { self.arguments = arguments }

    /// The queue: as it is known, or else as described; with an exchange of its own name unless told otherwise.
    ///
    /// - Throws: ``TaskError`` for a description that cannot be read.
    func queue(known: [Queue]) throws(TaskError) -> Queue {
        guard let name = try arguments.text("queue"), !name.isEmpty, name.utf8.count <= 255 else {
            throw .value("'queue' has to be a name of at most 255 bytes")
        }
        if let queue = known.first(where: { $0.name == name }) { return queue }
        let durable = try flag("durable") ?? true
        let autoDelete = try flag("auto_delete") ?? false
        var routingKey = try shortText("routing_key")
        if routingKey == nil { routingKey = try shortText("binding_key") }
        let exchange = ExchangeDeclaration(
            name: try shortText("exchange") ?? name,
            type: try shortText("exchange_type") ?? "direct",
            durable: try flag("exchange_durable") ?? durable,
            autoDelete: try flag("exchange_auto_delete") ?? autoDelete,
            arguments: try table("exchange_arguments")
        )
        return Queue(
            name,
            exchange: exchange,
            routingKey: routingKey ?? name,
            arguments: try queueArguments(),
            durable: durable,
            exclusive: try flag("exclusive") ?? false,
            autoDelete: autoDelete,
            bindingArguments: try table("binding_arguments"),
            consumerArguments: try table("consumer_arguments"),
            noDeclare: try flag("no_declare") ?? false
        )
    }

    private func queueArguments() throws(TaskError) -> FieldTable {
        var table = try table("queue_arguments")
        for (name, argument) in [("expires", "x-expires"), ("message_ttl", "x-message-ttl")] {
            guard let duration = try arguments.seconds(name) else { continue }
            table[argument] = .integer(Int(min(duration.seconds * 1_000, Double(Int32.max))))
        }
        let numbers = [
            ("max_length", "x-max-length"), ("max_length_bytes", "x-max-length-bytes"),
            ("max_priority", "x-max-priority"),
        ]
        for (name, argument) in numbers {
            if let number = try arguments.integer(name) { table[argument] = .integer(number) }
        }
        return table
    }

    private func flag(_ name: String) throws(TaskError) -> Bool? {
        switch arguments[name] {
        case nil, .null?: return nil
        case .bool(let flag)?: return flag
        default: throw .type("'\(name)' has to be true or false")
        }
    }

    private func shortText(_ name: String) throws(TaskError) -> String? {
        guard let text = try arguments.text(name) else { return nil }
        guard text.utf8.count <= 255 else { throw .value("'\(name)' has more than 255 bytes") }
        return text
    }

    private func table(_ name: String) throws(TaskError) -> FieldTable {
        switch arguments[name] {
        case nil, .null?: return [:]
        case .object(let entries)?:
            do {
                return try FieldTable(json: entries)
            } catch {
                throw .type("'\(name)' cannot be written as AMQP's arguments")
            }
        default: throw .type("'\(name)' has to be a map")
        }
    }
}

extension Queue {
    /// The queue as kombu's `Queue.as_dict` shows it.
    fileprivate var shown: JSONValue {
        [
            "name": .string(name),
            "exchange": Self.shown(exchange, deliveryMode),
            "routing_key": .string(routingKey ?? ""),
            "queue_arguments": Self.shown(declaration.arguments),
            "binding_arguments": Self.shown(bindingArguments),
            "consumer_arguments": Self.shown(consumerArguments),
            "durable": .bool(declaration.durable),
            "exclusive": .bool(declaration.exclusive),
            "auto_delete": .bool(declaration.autoDelete),
            "no_ack": false,
            "alias": isBroadcast ? .string(exchange?.name ?? name) : .null,
            "bindings": .array(bindings.map(Self.shown)),
            "no_declare": noDeclare ? true : .null,
            "expires": .null,
            "message_ttl": .null,
            "max_length": .null,
            "max_length_bytes": .null,
            "max_priority": .null,
        ]
    }

    private static func shown(_ exchange: ExchangeDeclaration?, _ mode: DeliveryMode?) -> JSONValue {
        [
            "name": .string(exchange?.name ?? ""),
            "type": .string(exchange?.type ?? "direct"),
            "arguments": shown(exchange?.arguments ?? [:]),
            "durable": .bool(exchange?.durable ?? true),
            "passive": .bool(exchange?.passive ?? false),
            "auto_delete": .bool(exchange?.autoDelete ?? false),
            "delivery_mode": mode.map { .int($0 == .persistent ? 2 : 1) } ?? .null,
            "no_declare": false,
        ]
    }

    private static func shown(_ binding: Binding) -> JSONValue {
        [
            "exchange": shown(binding.exchange, nil),
            "routing_key": .string(binding.routingKey),
            "arguments": shown(binding.arguments),
            "unbind_arguments": .null,
        ]
    }

    private static func shown(_ table: FieldTable) -> JSONValue {
        table.isEmpty ? .null : JSONValue(.table(table))
    }
}
