import AMQP
import Testing

@Suite(
    "AMQPChannel against RabbitMQ",
    .enabled(if: BrokerEnvironment.url != nil, BrokerEnvironment.needed),
    .timeLimit(.minutes(2))
)
struct AMQPChannelTests {
    private var everyType: FieldTable {
        [
            "t": .bool(true), "b": .int8(-8), "s": .int16(-16000), "u": .uint16(65000), "I": .int32(-7),
            "i": .uint32(4_000_000_000), "l": .int64(.min), "L": .longLong(-1), "f": .float(1.5), "d": .double(-0.1),
            "S": .string("grüße"), "x": .bytes([0, 255]), "A": .array([.void, .int32(1)]),
            "T": .timestamp(1_700_000_000),
            "F": .table(["z": .void, "a": .table([:])]), "V": .void,
        ]
    }

    /// The fields without what RabbitMQ 4 changes.
    ///
    /// It sorts them by name and writes `L` as `l`; the codec's own tests compare order and types.
    private func normalised(_ table: FieldTable?) -> [FieldTable.Field] {
        (table?.fields ?? []).sorted { $0.name < $1.name }.map { field in
            if case .longLong(let number) = field.value { return .init(field.name, .int64(number)) }
            return field
        }
    }

    @Test func messageComesBackAsItWasSent() async throws {
        try await withChannel(confirms: true) { _, channel in
            let queue = BrokerEnvironment.uniqueName("roundtrip")
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            var properties = BasicProperties()
            properties.headers = everyType
            properties.contentType = "application/json"
            properties.correlationID = "id"
            properties.priority = 0
            properties.timestamp = 5
            try await channel.publish(OutgoingMessage(routingKey: queue, properties: properties, body: [1, 2, 3]))
            let message = try #require(try await channel.get(queue))
            var received = message.properties
            #expect(normalised(received.headers) == normalised(everyType))
            received.headers = properties.headers
            #expect(received == properties)
            #expect(message.body == [1, 2, 3])
            #expect(message.routingKey == queue)
            #expect(!message.redelivered)
            channel.settle(message.deliveryTag, .ack)
            #expect(try await channel.get(queue) == nil)
        }
    }

    @Test(arguments: [0, 1, 131_064, 131_065, 300_000, 5_000_000])
    func bodiesOfAllSizes(_ size: Int) async throws {
        try await withChannel(confirms: true) { _, channel in
            let queue = BrokerEnvironment.uniqueName("size")
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await channel.publish(OutgoingMessage(routingKey: queue, body: body))
            let message = try #require(try await channel.get(queue, noAck: true))
            #expect(message.body == body)
        }
    }

    @Test func manyPublishesInFlightAreAllConfirmed() async throws {
        try await withChannel(confirms: true) { _, channel in
            let queue = BrokerEnvironment.uniqueName("confirms")
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<2000 {
                    group.addTask {
                        let body = Array("\(number)".utf8)
                        try await channel.publish(OutgoingMessage(routingKey: queue, body: body))
                    }
                }
                try await group.waitForAll()
            }
            let status = try await channel.declareQueue(QueueDeclaration(name: queue, passive: true))
            #expect(status.messageCount == 2000)
        }
    }

    @Test func mandatoryMessageWithoutQueueIsUnroutable() async throws {
        try await withChannel(confirms: true) { _, channel in
            let queue = BrokerEnvironment.uniqueName("mixed")
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            await withTaskGroup(of: (Int, AMQPError?).self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let target = number.isMultiple(of: 2) ? queue : "test.nowhere.\(number % 3)"
                        let message = OutgoingMessage(routingKey: target, body: [UInt8(number)])
                        return (number, await amqpError { () throws(AMQPError) in try await channel.publish(message) })
                    }
                }
                for await (number, error) in group {
                    #expect((error == nil) == number.isMultiple(of: 2))
                    if let error {
                        #expect(error.code == .unroutable)
                        #expect(error.replyCode == 312)
                    }
                }
            }
            let optional = OutgoingMessage(routingKey: "test.nowhere", mandatory: false, body: [])
            #expect(await amqpError { () throws(AMQPError) in try await channel.publish(optional) } == nil)
        }
    }

    @Test func fullQueueThatRejectsIsNacked() async throws {
        try await withChannel(confirms: true) { _, channel in
            let queue = BrokerEnvironment.uniqueName("full")
            let arguments: FieldTable = ["x-max-length": 1, "x-overflow": "reject-publish"]
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true, arguments: arguments))
            try await channel.publish(OutgoingMessage(routingKey: queue, body: [1]))
            let error = await amqpError { () throws(AMQPError) in
                try await channel.publish(OutgoingMessage(routingKey: queue, body: [2]))
            }
            #expect(error?.code == .nacked)
        }
    }

    @Test func errorOfOneChannelLeavesTheOthersAlone() async throws {
        try await withChannel { connection, channel in
            let queue = BrokerEnvironment.uniqueName("mismatch")
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            let scratch = try await connection.openChannel()
            let mismatch = await amqpError { () throws(AMQPError) in
                try await scratch.declareQueue(
                    QueueDeclaration(name: queue, exclusive: true, arguments: ["x-max-length": 3])
                )
            }
            #expect(mismatch?.code == .channelClosed)
            #expect(mismatch?.replyCode == 406)
            #expect(scratch.isClosed)
            #expect(await scratch.waitUntilClosed()?.replyCode == 406)
            let late = await amqpError { () throws(AMQPError) in
                try await scratch.declareQueue(QueueDeclaration(name: queue))
            }
            #expect(late?.code == .channelClosed)
            let missing = await amqpError { () throws(AMQPError) in
                let other = try await connection.openChannel()
                try await other.declareQueue(QueueDeclaration(name: "test.missing", passive: true))
            }
            #expect(missing?.replyCode == 404)
            #expect(!channel.isClosed)
            #expect(try await channel.declareQueue(QueueDeclaration(name: queue, passive: true)).name == queue)
        }
    }

    @Test func exchangesAndBindings() async throws {
        try await withChannel(confirms: true) { _, channel in
            let (topic, fanout) = (BrokerEnvironment.uniqueName("topic"), BrokerEnvironment.uniqueName("fanout"))
            let queue = BrokerEnvironment.uniqueName("bound")
            try await channel.declareExchange(ExchangeDeclaration(name: topic, type: "topic"))
            try await channel.declareExchange(ExchangeDeclaration(name: fanout, type: "fanout", durable: false))
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            try await channel.bindExchange(fanout, to: topic, routingKey: "a.#")
            try await channel.bindQueue(queue, to: fanout, routingKey: "")
            try await channel.publish(OutgoingMessage(exchange: topic, routingKey: "a.b", body: [1]))
            #expect(try await channel.get(queue, noAck: true)?.exchange == topic)
            try await channel.unbindExchange(fanout, from: topic, routingKey: "a.#")
            let unbound = await amqpError { () throws(AMQPError) in
                try await channel.publish(OutgoingMessage(exchange: topic, routingKey: "a.b", body: [1]))
            }
            #expect(unbound?.code == .unroutable)
            try await channel.unbindQueue(queue, from: fanout, routingKey: "")
            try await channel.deleteExchange(topic)
            try await channel.deleteExchange(fanout)
            #expect(try await channel.purgeQueue(queue) == 0)
            #expect(try await channel.deleteQueue(queue) == 0)
        }
    }

    @Test func prefetchIsPerConsumer() async throws {
        try await withChannel(confirms: true) { connection, channel in
            let queue = BrokerEnvironment.uniqueName("prefetch")
            try await channel.declareQueue(QueueDeclaration(name: queue, durable: false, autoDelete: true))
            for number in 0..<5 { try await channel.publish(OutgoingMessage(routingKey: queue, body: [UInt8(number)])) }
            let other = try await connection.openChannel()
            try await other.qos(prefetchCount: 2)
            let consumer = try await other.consume(queue)
            let first = try await delivery(from: consumer)
            let second = try await delivery(from: consumer)
            #expect((first.message.body, second.message.body) == ([0], [1]))
            #expect(try await channel.declareQueue(QueueDeclaration(name: queue, passive: true)).messageCount == 3)
            first.ack()
            let third = try await delivery(from: consumer)
            #expect(third.message.body == [2])
            second.reject(requeue: true)
            third.reject(requeue: false)
            try await consumer.cancel()
        }
    }

    @Test func droppedDeliveryGoesBackToTheQueue() async throws {
        try await withChannel(confirms: true) { connection, channel in
            let queue = BrokerEnvironment.uniqueName("dropped")
            try await channel.declareQueue(QueueDeclaration(name: queue, durable: false, autoDelete: true))
            try await channel.publish(OutgoingMessage(routingKey: queue, body: [7]))
            let consumer = try await connection.openChannel().consume(queue)
            func drop() async throws { _ = try await consumer.next() }
            try await drop()
            let again = try await delivery(from: consumer)
            #expect(again.message.redelivered)
            again.ack()
            #expect(connection.staleSettlementCount == 0)
        }
    }

    @Test func nackGoesToTheDeadLetterQueue() async throws {
        try await withChannel(confirms: true) { _, channel in
            let (queue, dead) = (BrokerEnvironment.uniqueName("nack"), BrokerEnvironment.uniqueName("dead"))
            let arguments: FieldTable = ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead)]
            try await channel.declareQueue(QueueDeclaration(name: dead, exclusive: true))
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true, arguments: arguments))
            try await channel.publish(OutgoingMessage(routingKey: queue, body: [1]))
            let consumer = try await channel.consume(queue)
            try await delivery(from: consumer).nack(requeue: true)
            try await delivery(from: consumer).nack(requeue: false)
            let deadConsumer = try await channel.consume(dead)
            let letter = try await delivery(from: deadConsumer)
            #expect(letter.message.properties.headers?["x-first-death-reason"] == "rejected")
            letter.ack()
        }
    }

    @Test func returnWithoutConfirmsReachesTheHandler() async throws {
        let connection = try await BrokerEnvironment.connect()
        let (stream, continuation) = AsyncStream.makeStream(of: ReturnedMessage.self)
        let channel = try await connection.openChannel(onReturn: { continuation.yield($0) })
        try await channel.publish(OutgoingMessage(routingKey: "test.nowhere", body: [9]))
        var iterator = stream.makeAsyncIterator()
        let returned = try #require(await iterator.next())
        #expect(returned.replyCode == 312)
        #expect(returned.message.body == [9])
        await connection.close()
    }

    @Test func deletedQueueCancelsItsConsumer() async throws {
        try await withChannel { connection, channel in
            let queue = BrokerEnvironment.uniqueName("cancelled")
            try await channel.declareQueue(QueueDeclaration(name: queue))
            let consumer = try await connection.openChannel().consume(queue)
            try await channel.deleteQueue(queue)
            if let delivery = try await consumer.next() {
                Issue.record("a delivery from a deleted queue: \(delivery.message)")
            }
        }
    }

    @Test func lateSettlementIsCountedAndIgnored() async throws {
        try await withChannel(confirms: true) { connection, channel in
            let queue = BrokerEnvironment.uniqueName("late")
            try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
            try await channel.publish(OutgoingMessage(routingKey: queue, body: []))
            let other = try await connection.openChannel()
            let message = try #require(try await other.get(queue))
            await other.close()
            other.settle(message.deliveryTag, .ack)
            #expect(try await channel.get(queue, noAck: true)?.redelivered == true)
            #expect(connection.staleSettlementCount == 1)
        }
    }

    @Test func refusedArgumentsLeaveTheChannelOpen() async throws {
        try await withChannel(confirms: true) { _, channel in
            var message = OutgoingMessage(routingKey: String(repeating: "k", count: 300), body: [])
            #expect(
                await amqpError { () throws(AMQPError) in try await channel.publish(message) }?.code == .invalidArgument
            )
            message.routingKey = "q"
            message.properties.headers = ["big": .string(String(repeating: "x", count: 200_000))]
            #expect(
                await amqpError { () throws(AMQPError) in try await channel.publish(message) }?.code == .messageTooLarge
            )
            #expect(
                await amqpError { () throws(AMQPError) in try await channel.qos(prefetchCount: 65536) }?.code
                    == .invalidArgument
            )
            #expect(!channel.isClosed)
        }
    }
}
