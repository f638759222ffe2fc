import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Sending", .timeLimit(.minutes(1)))
struct SendTests {
    @Test func typedTaskGivesItsResult() async throws {
        try await withClient { client, broker, worker in
            let handle = try await client.send(Tasks.add(2, 3))
            #expect(try await handle.value(timeout: .seconds(60)) == 5)
            #expect(handle.state == .success)
            let task = try #require(worker.tasks.first)
            #expect(task.headers.id == handle.id)
            #expect(task.headers.ignoreResult == false)
            #expect(task.body.args == [2, 3])
            #expect(task.correlationID == handle.id)
        }
    }

    @Test func keywordTaskLeavesNilOut() async throws {
        try await withClient(answer: { [ResultMessage(taskID: $0.headers.id, state: .success, result: "done")] }) {
            client,
            _,
            worker in
            let handle = try await client.send(Resize(url: "s3://a", width: nil))
            #expect(try await handle.value(timeout: .seconds(60)) == "done")
            let task = try #require(worker.tasks.first)
            #expect(task.headers.task == "tasks.resize")
            #expect(task.body.args.isEmpty)
            #expect(task.body.kwargs == ["url": "s3://a"])
        }
    }

    @Test func taskKnownByNameOnly() async throws {
        try await withClient { client, _, worker in
            let handle = try await client.send("legacy.task", args: [1, 2], kwargs: ["k": true])
            #expect(try await handle.value(timeout: .seconds(60)) == 3)
            let task = try #require(worker.tasks.first)
            #expect(task.headers.ignoreResult == nil)
            #expect(task.body.kwargs == ["k": true])
        }
    }

    @Test func queueAndReplyQueueAreDeclaredOnce() async throws {
        try await withClient { client, broker, _ in
            for _ in 0..<3 { _ = try await client.send(Tasks.add(1, 1), options: TaskOptions(queue: "low")) }
            #expect(broker.declaration(ofQueue: "low") == QueueDeclaration(name: "low"))
            #expect(broker.declaration(ofExchange: "low") == ExchangeDeclaration(name: "low"))
            #expect(broker.isBound("low", to: "low", routingKey: "low"))
            let replyQueue = try #require(broker.messages(in: "low").first?.properties.replyTo)
            let declaration = try #require(broker.declaration(ofQueue: replyQueue))
            #expect(declaration.durable && !declaration.autoDelete && !declaration.exclusive)
            #expect(declaration.arguments == ["x-expires": 86_400_000])
            #expect(broker.consumerCount(of: replyQueue) == 1)
            // One connection publishes, one consumes results, one is the worker's.
            #expect(broker.connectionCount == 3)
        }
    }

    @Test func enqueueWantsNoResult() async throws {
        try await withClient { client, broker, _ in
            let id = try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(queue: "low"))
            let message = try #require(broker.messages(in: "low").first)
            let task = try TaskMessage.decode(properties: message.properties, body: message.body)
            #expect(task.headers.id == id)
            #expect(task.headers.ignoreResult == true)
            #expect(task.replyTo == nil)
            // Without a reply queue there is no connection for it.
            #expect(broker.connectionCount == 2)
        }
    }

    @Test func ignoredResultIsToldAtOnce() async throws {
        try await withClient { client, broker, _ in
            let handle = try await client.send(Tasks.add(1, 1), options: TaskOptions(ignoreResult: true))
            let error = await #expect(throws: CeleryError.self) { try await handle.value() }
            #expect(error?.code == .resultIgnored)
            #expect(broker.connectionCount == 2)
            let elsewhere = try await client.send(Tasks.add(1, 1), options: TaskOptions(replyTo: "elsewhere"))
            let other = await #expect(throws: CeleryError.self) { try await elsewhere.value() }
            #expect(other?.code == .resultIgnored)
        }
    }

    @Test func thousandsOfSendsAtATime() async throws {
        var configuration = CeleryConfiguration()
        configuration.publishWindow = 64
        try await withClient(configuration) { client, _, worker in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<2_000 {
                    group.addTask {
                        try await client.send(Tasks.add(number, 1)).value(timeout: .seconds(30))
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 2_001_000)
            #expect(worker.tasks.count == 2_000)
            #expect(Set(worker.tasks.map(\.headers.id)).count == 2_000)
        }
    }

    @Test func unroutableIsAnError() async throws {
        try await withClient { client, broker, _ in
            // The exchange is there, but no queue is bound with this key.
            _ = try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(queue: "low"))
            let error = await #expect(throws: CeleryError.self) {
                try await client.send(Tasks.add(1, 1), options: TaskOptions(exchange: "low", routingKey: "nowhere"))
            }
            #expect(error?.code == .unroutable)
            #expect(client.core.backend.interestCount == 0)
            let missing = await #expect(throws: CeleryError.self) {
                try await client.send(Tasks.add(1, 1), options: TaskOptions(exchange: "none", routingKey: "key"))
            }
            #expect(missing?.code == .unroutable)
            // Nothing else has suffered.
            let sum = try await client.send(Tasks.add(1, 1)).value(timeout: .seconds(60))
            #expect(sum == 2)
            #expect(broker.connectionCount == 3)
        }
    }

    @Test func unknownQueueIsRefusedWhereMissingOnesAreNotMade() async throws {
        var configuration = CeleryConfiguration()
        configuration.taskCreateMissingQueues = false
        try await withClient(configuration) { client, _, _ in
            let error = await #expect(throws: CeleryError.self) {
                try await client.send(Tasks.add(1, 1), options: TaskOptions(queue: "low"))
            }
            #expect(error?.code == .queueNotFound)
        }
    }

    @Test func aQueueOfOtherSettingsIsUsedAsItIs() async throws {
        try await withClient { client, broker, _ in
            broker.declareQueue(QueueDeclaration(name: "low", durable: false))
            try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(queue: "low"))
            #expect(broker.messages(in: "low").count == 1)
            #expect(broker.declaration(ofQueue: "low")?.durable == false)
        }
    }

    @Test func aQueueThatMayNotBeMadeIsAnErrorOfItsOwn() async throws {
        try await withClient { client, broker, _ in
            broker.protectedNames = ["low"]
            let error = await #expect(throws: CeleryError.self) {
                try await client.send(Tasks.add(1, 1), options: TaskOptions(queue: "low"))
            }
            #expect(error?.code == .topology)
            let sum = try await client.send(Tasks.add(1, 1)).value(timeout: .seconds(60))
            #expect(sum == 2)
        }
    }

    @Test func aFullQueueRefuses() async throws {
        var configuration = CeleryConfiguration()
        configuration.taskQueues = [
            "celery", Queue("small", arguments: ["x-max-length": 1, "x-overflow": "reject-publish"]),
        ]
        try await withClient(configuration) { client, _, _ in
            try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(queue: "small"))
            let error = await #expect(throws: CeleryError.self) {
                try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(queue: "small"))
            }
            #expect(error?.code == .queueFull)
        }
    }

    @Test func argumentsThatCannotBeEncodedFailOnSending() async throws {
        struct Odd: Codable, Sendable {
            init() {}
            init(from decoder: any Decoder) throws {}
            func encode(to encoder: any Encoder) throws {
                throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "secret"))
            }
        }
        let task = TaskName("tasks.odd", Int.self, Odd.self, returning: Int.self)
        try await withClient { client, _, worker in
            let error = await #expect(throws: CeleryError.self) { try await client.send(task(1, Odd())) }
            #expect(error?.code == .encoding)
            #expect(error?.description.contains("secret") == false)
            let chained = await #expect(throws: CeleryError.self) {
                try await client.send(Tasks.add(1, 2).then(task, Odd()))
            }
            #expect(chained?.code == .encoding)
            let linked = await #expect(throws: CeleryError.self) {
                try await client.send(Tasks.add(1, 2), options: TaskOptions(link: [task(1, Odd()).signature]))
            }
            #expect(linked?.code == .encoding)
            #expect(worker.tasks.isEmpty)
        }
    }

    @Test func whatAMQPCannotCarryIsRefusedBeforehand() async throws {
        try await withClient { client, _, _ in
            let long = String(repeating: "x", count: 256)
            for options in [
                TaskOptions(taskID: long), TaskOptions(queue: long), TaskOptions(replyTo: long),
                TaskOptions(headers: FieldTable([FieldTable.Field(long, 1)])),
            ] {
                let error = await #expect(throws: CeleryError.self) {
                    try await client.enqueue(Tasks.add(1, 1), options: options)
                }
                #expect(error?.code == .invalidOption)
            }
        }
    }

    @Test func closedClientSaysSo() async throws {
        let broker = InMemoryBroker()
        let client = CeleryClient(broker: broker, logger: testLogger())
        try await client.enqueue(Tasks.add(1, 1))
        await client.shutdown()
        let error = await #expect(throws: CeleryError.self) { try await client.enqueue(Tasks.add(1, 1)) }
        #expect(error?.code == .closed)
        #expect(broker.openConnectionCount == 0)
    }

    @Test func runningClientClosesWhenItIsCancelled() async throws {
        let broker = InMemoryBroker()
        let client = CeleryClient(broker: broker, logger: testLogger())
        let running = Task { try await client.run() }
        try await client.enqueue(Tasks.add(1, 1))
        running.cancel()
        try await running.value
        #expect(broker.openConnectionCount == 0)
    }

    @Test func aClientThatIsDroppedClosesItsConnections() async throws {
        let broker = InMemoryBroker()
        do {
            let client = CeleryClient(broker: broker, logger: testLogger())
            _ = try await client.send(Tasks.add(1, 1))
            #expect(broker.openConnectionCount == 2)
        }
        #expect(await eventually { broker.openConnectionCount == 0 })
    }
}
