internal import AMQP
internal import Celery

extension BrokerConformance {
    static let routing: [Check] = [
        Check("the default exchange leads to the queue of the key") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let queue = try await session.queue()
            try await session.publish("one", key: queue)
            try await session.publish("two", key: queue, mandatory: true)
            try check(try await session.drain(queue) == ["one", "two"], "both messages in their order")
            await session.connection.close()
        },
        Check("a direct exchange compares keys") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let (exchange, queue) = (try await session.exchange("direct"), try await session.queue())
            try await session.channel.bindQueue(queue, to: exchange, routingKey: "a")
            try await session.channel.bindQueue(queue, to: exchange, routingKey: "b")
            for key in ["a", "b", "c", "A"] { try await session.publish(key, to: exchange, key: key) }
            try check(try await session.drain(queue) == ["a", "b"], "the bound keys only")
            try await session.channel.unbindQueue(queue, from: exchange, routingKey: "a", arguments: [:])
            for key in ["a", "b"] { try await session.publish(key, to: exchange, key: key) }
            try check(try await session.drain(queue) == ["b"], "the key that is still bound")
            await session.connection.close()
        },
        Check("a fanout exchange ignores keys") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let exchange = try await session.exchange("fanout")
            let queues = [try await session.queue(), try await session.queue()]
            for queue in queues { try await session.channel.bindQueue(queue, to: exchange, routingKey: "x") }
            try await session.publish("all", to: exchange, key: "other")
            for queue in queues { try check(try await session.drain(queue) == ["all"], "every queue gets it") }
            await session.connection.close()
        },
        Check("a topic exchange matches words") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let exchange = try await session.exchange("topic")
            // Without a binding the exchange would go.
            try await session.channel.bindQueue(try await session.queue(), to: exchange, routingKey: "none.of.these")
            let expectations: [(pattern: String, keys: [String])] = [
                ("jobs.*", ["jobs.add", "jobs."]), ("jobs.#", ["jobs", "jobs.add", "jobs.", "jobs.add.one"]),
                ("#", ["jobs", "jobs.add", "jobs.", "jobs.add.one", "", "other"]), ("*.add", ["jobs.add"]),
                ("#.one", ["jobs.add.one"]), ("*", ["jobs", "other"]), ("jobs.#.one", ["jobs.add.one"]), ("", [""]),
                ("*.*.*", ["jobs.add.one"]),
            ]
            let keys = ["jobs", "jobs.add", "jobs.", "jobs.add.one", "", "other"]
            for (pattern, expected) in expectations {
                let queue = try await session.queue()
                try await session.channel.bindQueue(queue, to: exchange, routingKey: pattern)
                for key in keys { try await session.publish(key, to: exchange, key: key) }
                let matched = try await session.drain(queue)
                try check(matched == expected, "'\(pattern)' matches \(expected), but got \(matched)")
                try await session.channel.unbindQueue(queue, from: exchange, routingKey: pattern, arguments: [:])
            }
            await session.connection.close()
        },
        Check("exchanges can be bound to exchanges, and a queue gets a message once") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let (first, second) = (try await session.exchange("fanout"), try await session.exchange("direct"))
            let queue = try await session.queue()
            try await session.channel.bindExchange(second, to: first, routingKey: "")
            try await session.channel.bindQueue(queue, to: second, routingKey: "k")
            try await session.channel.bindQueue(queue, to: first, routingKey: "")
            try await session.publish("once", to: first, key: "k")
            try check(try await session.drain(queue) == ["once"], "one copy")
            await session.connection.close()
        },
        Check("a mandatory message that no queue takes comes back") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let exchange = try await session.exchange("direct")
            for (exchange, key) in [("", BrokerConformance.name("nobody")), (exchange, "nobody")] {
                try await session.publish("lost", to: exchange, key: key)
                do throws(AMQPError) {
                    try await session.publish("returned", to: exchange, key: key, mandatory: true)
                    throw AMQPError(.invalidArgument, "not returned")
                } catch {
                    try check(error.code == .unroutable, "unroutable, but got \(error)")
                }
            }
            await session.connection.close()
        },
        Check("a full queue refuses where it is told to") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let queue = try await session.queue(["x-max-length": 1, "x-overflow": "reject-publish"])
            try await session.publish("one", key: queue, mandatory: true)
            do throws(AMQPError) {
                try await session.publish("two", key: queue, mandatory: true)
                throw AMQPError(.invalidArgument, "not refused")
            } catch {
                try check(error.code == .nacked, "nacked, but got \(error)")
            }
            let dropping = try await session.queue(["x-max-length": 1])
            for text in ["one", "two"] { try await session.publish(text, key: dropping) }
            try check(try await session.drain(dropping) == ["two"], "otherwise the oldest goes")
            await session.connection.close()
        },
        Check("properties, headers and bodies arrive as they were") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let queue = try await session.queue()
            var properties = BasicProperties()
            properties.contentType = "application/json"
            properties.headers = ["text": "ü", "none": .void, "list": .array([1, .void]), "big": .longLong(1 << 40)]
            properties.deliveryMode = 1
            properties.priority = 0
            properties.correlationID = "id"
            properties.replyTo = "replies"
            let body = String(repeating: "x", count: 300_000)
            try await session.publish(body, key: queue, properties: properties)
            try await session.publish("", key: queue)
            let first = try await session.channel.get(queue, noAck: true)
            try check(first?.properties.asDelivered == properties.asDelivered, "the properties")
            try check(first?.text == body, "the body")
            let second = try await session.channel.get(queue, noAck: true)
            try check(second?.body == [] && second?.properties.headers ?? [:] == [:], "the empty message")
            await session.connection.close()
        },
    ]
}

extension BasicProperties {
    /// The properties in the form in which RabbitMQ 4 delivers them: it sorts the headers by name, and writes every 64-bit
    /// integer with the same type.
    fileprivate var asDelivered: BasicProperties {
        var properties = self
        let fields = (headers ?? [:]).map { field in
            guard case .longLong(let number) = field.value else { return field }
            return FieldTable.Field(field.name, .int64(number))
        }
        properties.headers = FieldTable(fields.sorted { $0.name < $1.name })
        return properties
    }
}
