internal import AMQP

extension StructuredSetting {
    /// `task_queues`: names, maps with a name, or Celery's map of names to what the queues are.
    ///
    /// A queue without a key is bound by its name, as in Celery's map; with the default key, which Celery's `Queue` objects
    /// have, each of them would get every task of the default queue.
    static func queues(_ value: SettingValue) throws(SettingError) -> [Queue] {
        let structure: JSONValue
        // A variable may simply name queues: CELERY_TASK_QUEUES=celery,low-priority
        if case .text(let text) = value, !text.hasPrefix("["), !text.hasPrefix("{") {
            structure = .array(try value.asList.map { .string($0) })
        } else {
            structure = try value.asStructure
        }
        var queues: [Queue] = []
        switch structure {
        case .object(let named):
            for (name, description) in named { queues.append(try queue(name, description)) }
        case .array(let elements):
            for element in elements { queues.append(try queue(element)) }
        default: throw .expected("a list of queues, or a map of names to queues")
        }
        guard queues.allSatisfy({ !$0.name.isEmpty }) else { throw SettingError("has a queue without a name") }
        return queues
    }

    private static func queue(_ element: JSONValue) throws(SettingError) -> Queue {
        if let name = element.stringValue { return Queue(name, routingKey: name) }
        guard let name = element["name"]?.stringValue else {
            throw SettingError("has an element that is neither a name nor a map with a 'name'")
        }
        return try queue(name, element)
    }

    private static func queue(_ name: String, _ description: JSONValue) throws(SettingError) -> Queue {
        guard !description.isNull else { return Queue(name, routingKey: name) }
        var map = try SettingMap(description, place: name)
        _ = map.take("name")
        if try map.flag("broadcast") == true {
            try map.finish()
            return .broadcast(name)
        }
        var queue = Queue(name)
        queue.exchange = try exchange(&map)
        let bindingKey = try map.text("binding_key")
        queue.routingKey = try map.text("routing_key") ?? bindingKey ?? name
        queue.declaration.arguments = try map.table("queue_arguments") ?? [:]
        if let priority = try map.integer("max_priority") {
            queue.declaration.arguments["x-max-priority"] = .integer(priority)
        }
        queue.bindingArguments = try map.table("binding_arguments") ?? [:]
        queue.consumerArguments = try map.table("consumer_arguments") ?? [:]
        if let flag = try map.flag("durable") { queue.declaration.durable = flag }
        if let flag = try map.flag("exclusive") { queue.declaration.exclusive = flag }
        if let flag = try map.flag("auto_delete") { queue.declaration.autoDelete = flag }
        if let flag = try map.flag("no_declare") { queue.noDeclare = flag }
        if let mode = map.take("delivery_mode") {
            queue.deliveryMode = try deliveryMode(mode.intValue.map { .integer($0) } ?? .text(mode.stringValue ?? ""))
        }
        try map.finish()
        return queue
    }

    private static func exchange(_ map: inout SettingMap) throws(SettingError) -> ExchangeDeclaration? {
        let type = try map.text("exchange_type")
        let isDurable = try map.flag("exchange_durable")
        guard let name = try map.text("exchange") else {
            guard type == nil else { throw SettingError("has a queue with an 'exchange_type' and no 'exchange'") }
            return nil
        }
        return ExchangeDeclaration(name: name, type: type ?? "direct", durable: isDurable ?? true)
    }
}
