internal import AMQP
internal import Celery

extension BrokerConformance {
    static let consuming: [Check] = [
        Check("prefetch bounds each consumer that is started afterwards") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            try await session.channel.qos(prefetchCount: 2)
            let first = ConsumerProbe()
            _ = try await session.channel.consume(queue, onEvent: first.onEvent)
            try await session.channel.qos(prefetchCount: 3)
            let second = ConsumerProbe()
            let other = try await session.queue()
            _ = try await session.channel.consume(other, onEvent: second.onEvent)
            for number in 0..<6 {
                try await session.publish("\(number)", key: queue)
                try await session.publish("\(number)", key: other)
            }
            try await first.wait("two deliveries") { $0.messages.count == 2 }
            try await second.wait("three deliveries") { $0.messages.count == 3 }
            try check(try await first.settle() == ["0", "1"], "no more than two")
            try check(try await second.settle() == ["0", "1", "2"], "no more than three")
            session.channel.settle(first.messages[0].deliveryTag, .ack)
            try await first.wait("credit for one more") { $0.messages.count == 3 }
            try check(try await first.settle() == ["0", "1", "2"], "one more")
            await session.connection.close()
        },
        Check("consumers take turns") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            let probes = [ConsumerProbe(), ConsumerProbe()]
            for probe in probes { _ = try await session.channel.consume(queue, onEvent: probe.onEvent) }
            for number in 0..<10 { try await session.publish("\(number)", key: queue) }
            try await probes[0].wait("half") { $0.messages.count == 5 }
            try await probes[1].wait("half") { $0.messages.count == 5 }
            await session.connection.close()
        },
        Check(
            "a queue with a single active consumer serves the first, and after it the next one, with all that it held"
        ) { broker in
            let first = try await ConformanceSession(broker)
            let second = try await ConformanceSession(broker)
            let queue = BrokerConformance.name("queue")
            let declaration = QueueDeclaration(
                name: queue,
                durable: false,
                autoDelete: false,
                arguments: ["x-single-active-consumer": true, "x-expires": 60_000]
            )
            _ = try await first.channel.declareQueue(declaration)
            let (one, two) = (ConsumerProbe(), ConsumerProbe())
            _ = try await first.channel.consume(queue, onEvent: one.onEvent)
            _ = try await second.channel.consume(queue, onEvent: two.onEvent)
            for number in 0..<6 { try await second.publish("\(number)", key: queue) }
            try await one.wait("everything") { $0.messages.count == 6 }
            try check(try await two.settle().isEmpty, "the second one waits")
            first.channel.settle(one.messages[0].deliveryTag, .ack)
            first.channel.settle(one.messages[3].deliveryTag, .ack)
            await first.channel.close()
            try await two.wait("what was not acknowledged, in its order") { $0.texts == ["1", "2", "4", "5"] }
            try check(two.messages.allSatisfy(\.redelivered), "told that it was delivered before")
            try await second.publish("6", key: queue)
            try await two.wait("what comes now") { $0.texts == ["1", "2", "4", "5", "6"] }
            _ = try await second.channel.deleteQueue(queue)
            await first.connection.close()
            await second.connection.close()
        },
        Check("a cancelled consumer of such a queue keeps what it has, and the next one gets what comes") { broker in
            let session = try await ConformanceSession(broker)
            let other = try await session.connection.openChannel()
            let queue = try await session.queue(["x-single-active-consumer": true])
            let (one, two) = (ConsumerProbe(), ConsumerProbe())
            let tag = try await session.channel.consume(queue, onEvent: one.onEvent)
            _ = try await other.consume(queue, onEvent: two.onEvent)
            try await session.publish("a", key: queue)
            try await one.wait("the delivery") { $0.texts == ["a"] }
            try await session.channel.cancel(tag)
            try await session.publish("b", key: queue)
            try await two.wait("the next one") { $0.texts == ["b"] }
            await session.channel.close()
            try await two.wait("what the first one held") { $0.texts == ["b", "a"] }
            await session.connection.close()
        },
        Check("deliveries without acknowledgement are gone at once") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            try await session.channel.qos(prefetchCount: 1)
            let probe = ConsumerProbe()
            let options = ConsumeOptions(consumerTag: "mine", noAck: true)
            let tag = try await session.channel.consume(queue, options: options, onEvent: probe.onEvent)
            try check(tag == "mine", "the tag that was asked for")
            for number in 0..<5 { try await session.publish("\(number)", key: queue) }
            try await probe.wait("all in spite of the prefetch") { $0.texts == ["0", "1", "2", "3", "4"] }
            let message = try await session.channel.get(queue, noAck: false)
            try check(message == nil, "nothing is left")
            try check(probe.messages.allSatisfy { $0.consumerTag == "mine" && !$0.redelivered }, "the deliveries' data")
            await session.connection.close()
        },
        Check("a cancelled consumer gets nothing more, and keeps what it has") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            let probe = ConsumerProbe()
            let tag = try await session.channel.consume(queue, onEvent: probe.onEvent)
            try await session.publish("one", key: queue)
            try await probe.wait("the delivery") { $0.messages.count == 1 }
            try await session.channel.cancel(tag)
            try await session.publish("two", key: queue)
            try check(try await probe.settle() == ["one"], "nothing more")
            session.channel.settle(probe.messages[0].deliveryTag, .reject(requeue: true))
            try check(try await eventuallyDrains(session, queue) == ["one", "two"], "both are there")
            await session.connection.close()
        },
        Check("consumers are told when their queue is deleted") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            let probe = ConsumerProbe()
            _ = try await session.channel.consume(queue, onEvent: probe.onEvent)
            try await session.publish("one", key: queue)
            try await probe.wait("the delivery") { $0.messages.count == 1 }
            let other = try await session.connection.openChannel()
            _ = try await other.deleteQueue(queue)
            try await probe.wait("the cancel") { $0.isCancelled }
            try check(!probe.isClosed, "the channel lives on")
            session.channel.settle(probe.messages[0].deliveryTag, .ack)
            _ = try await session.queue()
            await session.connection.close()
        },
        Check("an exclusive consumer is alone") { broker in
            let session = try await ConformanceSession(broker)
            let queue = try await session.queue()
            let options = ConsumeOptions(exclusive: true)
            _ = try await session.channel.consume(queue, options: options, onEvent: { _ in })
            let code = try await session.refusal { channel in
                _ = try await channel.consume(queue, onEvent: { _ in })
            }
            try check(code == 403, "403, but got \(code ?? 0)")
            await session.connection.close()
        },
        Check("priorities come first where a queue has them") { broker in
            let session = try await ConformanceSession(broker, confirms: true)
            let queue = try await session.queue(["x-max-priority": 5])
            for (text, priority) in [("none", nil), ("two", 2), ("nine", 9), ("five", 5), ("zero", 0)]
                as [(String, UInt8?)]
            {
                var properties = BasicProperties()
                properties.priority = priority
                try await session.publish(text, key: queue, properties: properties)
            }
            let order = try await session.drain(queue)
            try check(order == ["nine", "five", "two", "none", "zero"], "by priority, then by age, but got \(order)")
            await session.connection.close()
        },
    ]

    /// The bodies of a queue, once something is in it.
    static func eventuallyDrains(_ session: ConformanceSession, _ queue: String, count: Int = 2) async throws
        -> [String]
    {
        var texts: [String] = []
        for _ in 0..<400 where texts.count < count {
            texts += try await session.drain(queue)
            try await Task.sleep(for: .milliseconds(5))
        }
        return texts
    }
}
