internal import AMQP
internal import Celery

extension BrokerConformance {
    static let topology: [Check] = [
        Check("declaring again is fine, otherwise is 406") { broker in
            let session = try await ConformanceSession(broker)
            let queue = QueueDeclaration(name: name("queue"), autoDelete: true, arguments: ["x-expires": 60_000])
            let exchange = ExchangeDeclaration(name: name("exchange"), type: "topic", autoDelete: true)
            for _ in 0..<2 {
                let status = try await session.channel.declareQueue(queue)
                try check(status == QueueStatus(name: queue.name, messageCount: 0, consumerCount: 0), "the status")
                try await session.channel.declareExchange(exchange)
            }
            var (other, passive) = (queue, queue)
            other.arguments = [:]
            passive.arguments = [:]
            passive.durable = false
            passive.passive = true
            let code = try await session.refusal { channel in
                _ = try await channel.declareQueue(other)
            }
            try check(code == 406, "406 for the queue, but got \(code ?? 0)")
            _ = try await session.channel.declareQueue(passive)
            var direct = exchange
            direct.type = "direct"
            let second = try await session.refusal { channel in
                try await channel.declareExchange(direct)
            }
            try check(second == 406, "406 for the exchange, but got \(second ?? 0)")
            _ = try await session.channel.deleteQueue(queue.name)
            try await session.channel.deleteExchange(exchange.name, ifUnused: false)
            await session.connection.close()
        },
        Check("what does not exist is 404") { broker in
            let session = try await ConformanceSession(broker)
            let missing = name("missing")
            let queue = try await session.queue()
            let requests: [@Sendable (any BrokerChannel) async throws -> Void] = [
                { channel in
                    _ = try await channel.declareQueue(QueueDeclaration(name: missing, passive: true))
                },
                { channel in
                    try await channel.declareExchange(ExchangeDeclaration(name: missing, passive: true))
                },
                { channel in try await channel.bindQueue(missing, to: "amq.direct", routingKey: "") },
                { channel in try await channel.bindQueue(queue, to: missing, routingKey: "") },
                { channel in _ = try await channel.consume(missing, onEvent: { _ in }) },
                { channel in _ = try await channel.get(missing, noAck: true) },
                { channel in _ = try await channel.purgeQueue(missing) },
            ]
            for (index, request) in requests.enumerated() {
                let code = try await session.refusal(request)
                try check(code == 404, "404 for request \(index), but got \(code ?? 0)")
            }
            // Deleting what is not there is fine.
            try check(try await session.channel.deleteQueue(missing) == 0, "no messages")
            try await session.channel.deleteExchange(missing, ifUnused: false)
            await session.connection.close()
        },
        Check("another connection's exclusive queue is 405") { broker in
            let (owner, other) = (try await ConformanceSession(broker), try await ConformanceSession(broker))
            let queue = try await owner.queue()
            let code = try await other.refusal { channel in
                _ = try await channel.declareQueue(QueueDeclaration(name: queue, durable: false, exclusive: true))
            }
            try check(code == 405, "405, but got \(code ?? 0)")
            await owner.connection.close()
            await other.connection.close()
        },
        Check("reserved names and the default exchange are 403") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            let code = try await session.refusal { channel in
                try await channel.declareExchange(ExchangeDeclaration(name: "amq.mine"))
            }
            try check(code == 403, "403 for the name, but got \(code ?? 0)")
            let second = try await session.refusal { channel in
                try await channel.bindQueue(queue, to: "", routingKey: "x")
            }
            try check(second == 403, "403 for the binding, but got \(second ?? 0)")
            await session.connection.close()
        },
        Check("publishing to an exchange that does not exist ends the channel with 404") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let victim = try await session.connection.openChannel(confirms: true)
            do throws(AMQPError) {
                try await victim.publish(OutgoingMessage(exchange: name("missing"), routingKey: "k", body: []))
                throw AMQPError(.invalidArgument, "not refused")
            } catch {
                try check(error.code == .channelClosed && error.replyCode == 404, "404, but got \(error)")
            }
            try check(await victim.waitUntilClosed()?.replyCode == 404, "the channel's reason")
            _ = try await session.queue()
            await session.connection.close()
        },
        Check("purging and deleting count; conditions are 406") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let queue = try await session.queue()
            for _ in 0..<3 { try await session.publish("x", key: queue) }
            let code = try await session.refusal { channel in
                _ = try await channel.deleteQueue(queue, ifUnused: false, ifEmpty: true)
            }
            try check(code == 406, "406 for a queue that is not empty, but got \(code ?? 0)")
            try check(try await session.channel.purgeQueue(queue) == 3, "three purged")
            try await session.publish("x", key: queue)
            _ = try await session.channel.consume(queue, options: ConsumeOptions(), onEvent: { _ in })
            let second = try await session.refusal { channel in
                _ = try await channel.deleteQueue(queue, ifUnused: true, ifEmpty: false)
            }
            try check(second == 406, "406 for a queue in use, but got \(second ?? 0)")
            await session.connection.close()
        },
        Check("the broker makes names") { broker in
            let session = try await ConformanceSession(broker)
            let declaration = QueueDeclaration(name: "", durable: false, exclusive: true)
            let names = [
                try await session.channel.declareQueue(declaration).name,
                try await session.channel.declareQueue(declaration).name,
            ]
            try check(names[0] != names[1] && names.allSatisfy { $0.hasPrefix("amq.") }, "two names, but got \(names)")
            await session.connection.close()
        },
    ]
}
