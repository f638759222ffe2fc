internal import AMQP
internal import Celery

extension BrokerConformance {
    static let closing: [Check] = [
        Check("an auto-delete queue goes with its last consumer") { broker in
            let session = try await ConformanceSession(broker)
            let queue = QueueDeclaration(name: name("queue"), autoDelete: true)
            _ = try await session.channel.declareQueue(queue)
            let tags = [
                try await session.channel.consume(queue.name, onEvent: { _ in }),
                try await session.channel.consume(queue.name, onEvent: { _ in }),
            ]
            try await session.channel.cancel(tags[0])
            let status = try await session.channel.declareQueue(queue)
            try check(status.consumerCount == 1, "one consumer is left")
            try await session.channel.cancel(tags[1])
            let code = try await session.refusal { channel in
                _ = try await channel.declareQueue(QueueDeclaration(name: queue.name, passive: true))
            }
            try check(code == 404, "the queue is gone, but got \(code ?? 0)")
            await session.connection.close()
        },
        Check("a closed connection takes its exclusive and auto-delete queues along, and hands deliveries back") {
            broker in
            let (first, second) = (try await ConformanceSession(broker), try await ConformanceSession(broker))
            let exclusive = try await first.queue()
            let reply = QueueDeclaration(name: name("reply"), autoDelete: true)
            _ = try await first.channel.declareQueue(reply)
            _ = try await first.channel.consume(reply.name, options: ConsumeOptions(noAck: true), onEvent: { _ in })
            let shared = QueueDeclaration(name: name("shared"), durable: false)
            _ = try await second.channel.declareQueue(shared)
            try await second.publish("one", key: shared.name)
            let probe = ConsumerProbe()
            _ = try await first.channel.consume(shared.name, onEvent: probe.onEvent)
            try await probe.wait("the delivery") { $0.messages.count == 1 }
            await first.connection.close()
            try check(await first.connection.waitUntilClosed() == nil, "closed by this side")
            try await probe.wait("the close") { $0.isClosed }
            try check(try await eventuallyDrains(second, shared.name, count: 1) == ["one"], "the delivery is back")
            for gone in [exclusive, reply.name] {
                let code = try await second.refusal { channel in
                    _ = try await channel.declareQueue(QueueDeclaration(name: gone, passive: true))
                }
                try check(code == 404, "\(gone) is gone, but got \(code ?? 0)")
            }
            _ = try await second.channel.deleteQueue(shared.name)
            await second.connection.close()
        },
        Check("requests on what is closed fail, and posts do nothing") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            await session.channel.close()
            do throws(AMQPError) {
                _ = try await session.channel.declareQueue(QueueDeclaration(name: "x", passive: true))
                throw AMQPError(.invalidArgument, "not refused")
            } catch {
                try check(error.code == .channelClosed, "channelClosed, but got \(error)")
            }
            do throws(AMQPError) {
                try await session.publish("x", key: "y")
                throw AMQPError(.invalidArgument, "not refused")
            } catch {
                try check(error.code == .channelClosed, "channelClosed, but got \(error)")
            }
            session.channel.settle(1, .ack)
            await session.channel.close()
            await session.connection.close()
            await session.connection.close()
            do throws(AMQPError) {
                _ = try await session.connection.openChannel()
                throw AMQPError(.invalidArgument, "not refused")
            } catch {
                try check(error.code == .connectionClosed, "connectionClosed, but got \(error)")
            }
        },
        Check("an auto-delete exchange goes with its last binding") { broker in
            let session = try await ConformanceSession(broker)
            let (exchange, queue) = (try await session.exchange("direct"), try await session.queue())
            try await session.channel.bindQueue(queue, to: exchange, routingKey: "a")
            try await session.channel.unbindQueue(queue, from: exchange, routingKey: "a", arguments: [:])
            let code = try await session.refusal { channel in
                try await channel.declareExchange(ExchangeDeclaration(name: exchange, passive: true))
            }
            try check(code == 404, "the exchange is gone, but got \(code ?? 0)")
            await session.connection.close()
        },
    ]
}
