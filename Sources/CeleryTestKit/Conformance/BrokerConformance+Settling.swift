internal import AMQP
internal import Celery

extension BrokerConformance {
    static let settling: [Check] = [
        Check("rejected messages return to their place, marked as redelivered") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            for text in ["one", "two", "three"] { try await session.publish(text, key: queue) }
            let first = try await session.channel.get(queue, noAck: false)
            try check(first?.text == "one" && first?.redelivered == false, "the first message")
            session.channel.settle(first?.deliveryTag ?? 0, .reject(requeue: true))
            let again = try await session.channel.get(queue, noAck: true)
            try check(again?.text == "one" && again?.redelivered == true, "the first message again")
            try check(try await session.drain(queue) == ["two", "three"], "the others behind it")
            await session.connection.close()
        },
        Check("a settlement counts once") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            try await session.publish("one", key: queue)
            let message = try await session.channel.get(queue, noAck: false)
            for settlement in [Settlement.ack, .ack, .reject(requeue: true)] {
                session.channel.settle(message?.deliveryTag ?? 0, settlement)
            }
            try check(try await session.drain(queue) == [], "nothing comes back")
            await session.connection.close()
        },
        Check("a closed channel hands back what was not settled") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            for text in ["one", "two", "three"] { try await session.publish(text, key: queue) }
            let other = try await session.connection.openChannel()
            let probe = ConsumerProbe()
            _ = try await other.consume(queue, onEvent: probe.onEvent)
            try await probe.wait("all deliveries") { $0.messages.count == 3 }
            other.settle(probe.messages[1].deliveryTag, .ack)
            // An answer comes after the settlement has been handled.
            _ = try await other.declareQueue(QueueDeclaration(name: queue, passive: true))
            await other.close()
            try await probe.wait("the close") { $0.isClosed }
            try check(await other.waitUntilClosed() == nil, "closed by this side")
            try check(try await eventuallyDrains(session, queue) == ["one", "three"], "the unsettled ones")
            other.settle(probe.messages[0].deliveryTag, .ack)
            await session.connection.close()
        },
        Check("rejected messages go to the dead-letter exchange") { broker in
            let session = try await ConformanceSession(broker)
            let dead = try await session.queue()
            let queue = try await session.queue([
                "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead),
            ])
            try await session.publish("one", key: queue)
            let message = try await session.channel.get(queue, noAck: false)
            session.channel.settle(message?.deliveryTag ?? 0, .reject(requeue: false))
            var found: IncomingMessage?
            for _ in 0..<400 where found == nil {
                found = try await session.channel.get(dead, noAck: true)
                if found == nil { try await Task.sleep(for: .milliseconds(5)) }
            }
            try check(found?.text == "one", "the message")
            let death = found?.properties.headers?["x-death"]?.arrayValue?.first?.tableValue
            try check(death?["reason"] == "rejected" && death?["queue"] == .string(queue), "how it died")
            let first = found?.properties.headers?["x-first-death-queue"]
            try check(first == .string(queue), "where it died first")
            await session.connection.close()
        },
        Check("messages expire") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            var properties = BasicProperties()
            properties.expiration = "20"
            try await session.publish("short", key: queue, properties: properties)
            try await session.publish("long", key: queue)
            try await Task.sleep(for: .milliseconds(100))
            try check(try await session.drain(queue) == ["long"], "only the one without limit")
            await session.connection.close()
        },
    ]
}
