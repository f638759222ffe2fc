import AMQP
import CeleryTestKit
import Logging
import Testing

@testable import Celery

@Suite(
    "Delayed delivery by RabbitMQ",
    .enabled(if: BrokerEnvironment.url != nil, BrokerEnvironment.needed),
    .timeLimit(.minutes(3))
)
struct DelayedDeliveryTests {
    private let log = LogRecorder()
    private let configuration: CeleryConfiguration
    private let queue: Queue

    init() throws {
        let name = BrokerEnvironment.uniqueName("delayed")
        let queue = Queue(
            name,
            exchange: ExchangeDeclaration(name: "\(name).topic", type: "topic", autoDelete: true),
            routingKey: "\(name).jobs",
            arguments: ["x-queue-type": "quorum", "x-expires": 600_000]
        )
        var configuration = CeleryConfiguration(broker: BrokerEnvironment.url)
        configuration.taskQueues = [queue]
        configuration.taskDefaultQueue = name
        self.configuration = configuration
        self.queue = queue
    }

    /// What was warned of, apart from other tests' blocking of the broker.
    private var warnings: [String] {
        log.lines.filter { $0.level == "warning" && !$0.message.hasPrefix("the broker ") }
            .map { "\($0.message) \($0.metadata)" }
    }

    /// The next message of the queue, which stays unsettled.
    private func next(on channel: any BrokerChannel) async throws -> IncomingMessage {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if let message = try await channel.get(queue.name, noAck: false) { return message }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw AMQPError(.timeout, "no message came")
    }

    @Test func aTaskWaitsInTheBroker() async throws {
        let client = try CeleryClient(configuration: configuration, logger: log.logger())
        try await withCeleryClient(client) { client in
            let begin = ContinuousClock.now
            let id = try await client.enqueue("t", args: [1], options: TaskOptions(countdown: .seconds(3)))
            let connection = try await AMQPBroker(configuration: configuration, logger: log.logger()).connect(.consume)
            let message = try await next(on: connection.openChannel())
            #expect(ContinuousClock.now - begin >= .seconds(2.9))
            #expect(message.properties.correlationID == id)
            #expect(message.exchange == DelayLadder.exit)
            #expect(DelayLadder.withoutDelay(message.routingKey) == queue.routingKey)
            #expect(message.properties.headers?["x-death"]?.arrayValue?.count == 2)
            await connection.close()
        }
        #expect(warnings == [])
    }

    @Test func aMessageIsHandedOverAgainAndAgain() async throws {
        let logger = log.logger()
        let connection = try await AMQPBroker(configuration: configuration, logger: logger).connect(.consume)
        let memory = TopologyMemory()
        let channel = try await connection.openChannel(confirms: true)
        try await TopologyDeclarer(connection: connection, logger: logger, memory: memory).declare(queue)
        for _ in 0..<2 {
            let topology = DelayedDeliveryTopology(
                connection: connection,
                queueType: .quorum,
                logger: logger,
                memory: memory
            )
            try await topology.declare([queue])
            #expect(try await topology.declare(handover: queue.name))
        }
        var properties = BasicProperties()
        properties.headers = ["mine": "stays"]
        try await channel.publish(OutgoingMessage(routingKey: queue.name, properties: properties, body: [7]))
        for _ in 0..<3 {
            let message = try await next(on: channel)
            let begin = ContinuousClock.now
            let handed = try DelayHandover.message(message, queue: queue.name, seconds: 1)
            #expect(handed.properties.headers == ["mine": "stays"])
            try await channel.publish(handed)
            channel.settle(message.deliveryTag, .ack)
            let back = try await next(on: channel)
            #expect(ContinuousClock.now - begin >= .seconds(0.9))
            #expect(back.body == [7])
            #expect(DelayHandover.queue(ofKey: back.routingKey) == queue.name)
            channel.settle(back.deliveryTag, .reject(requeue: true))
        }
        _ = try await channel.deleteQueue(queue.name)
        await connection.close()
        #expect(warnings == [])
    }

    @Test func aQueueOfOtherArgumentsIsAdopted() async throws {
        let logger = log.logger()
        let connection = try await AMQPBroker(configuration: configuration, logger: logger).connect(.publish)
        let channel = try await connection.openChannel()
        _ = try await channel.declareQueue(QueueDeclaration(name: queue.name, arguments: ["x-max-priority": 3]))
        let memory = TopologyMemory()
        for _ in 0..<2 {
            try await TopologyDeclarer(connection: connection, logger: logger, memory: memory).declare(queue)
        }
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("inequivalent arg") == true)
        // The channel that was open meanwhile still works.
        _ = try await channel.deleteQueue(queue.name)
        await connection.close()
    }
}
