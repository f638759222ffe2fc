import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import Logging
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("Worker: reconnecting")
struct WorkerReconnectTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.one") { (context: TaskContext) -> Int in 1 }
    }

    @Test("connections are numbered, in the log and in the statistics")
    func epochs() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            for count in 1...3 {
                harness.broker.failConnections()
                try await eventually("connected again") {
                    harness.worker.statistics.reconnects == count
                        && harness.worker.statistics.publishReconnects == count
                        && harness.broker.consumerCount(of: "celery") == 1
                }
            }
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
            let lines = harness.logs.lines.filter { $0.message == "Connected to the broker again" }
            let epochs = lines.filter { $0.metadata["role"] == "consume" }.compactMap { $0.metadata["epoch"] }
            #expect(epochs == ["2", "3", "4"])
        }
    }

    @Test("queues that are added and cancelled at run time stay so after a reconnect")
    func runTimeQueues() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try harness.worker.addConsumer(queue: "more")
            try await eventually("both are consumed") { harness.broker.consumerCount(of: "more") == 1 }
            #expect(harness.worker.queues.map(\.name) == ["celery", "more"])
            let more = try harness.send("proj.one", options: TaskOptions(queue: "more"))
            #expect(try await harness.result(of: more).result == 1)

            #expect(harness.worker.cancelConsumer(queue: "celery"))
            #expect(!harness.worker.cancelConsumer(queue: "celery"))
            try await eventually("one is cancelled") { harness.broker.consumerCount(of: "celery") == 0 }

            harness.broker.failConnections()
            try await eventually("consuming again") { harness.broker.consumerCount(of: "more") == 1 }
            #expect(harness.broker.consumerCount(of: "celery") == 0)
            #expect(harness.worker.queues.map(\.name) == ["more"])

            try harness.worker.addConsumer(queue: "celery")
            let again = try harness.send("proj.one")
            #expect(try await harness.result(of: again).result == 1)
        }
    }

    @Test("a queue that was cancelled while there was no broker is not subscribed again")
    func cancelledMeanwhile() async throws {
        try await WorkerHarness.run(WorkerConfiguration(queues: ["a", "b"]), register: Self.register) { harness in
            harness.broker.refusesConnections = true
            harness.broker.failConnections()
            harness.worker.cancelConsumer(queue: "a")
            try harness.worker.addConsumer(queue: "c")
            harness.broker.refusesConnections = false
            try await eventually("consuming again") {
                harness.broker.consumerCount(of: "b") == 1 && harness.broker.consumerCount(of: "c") == 1
            }
            #expect(harness.broker.consumerCount(of: "a") == 0)
        }
    }

    @Test("tasks that were fetched from a cancelled queue are run, then their channel is closed")
    func cancelWithRunningTask() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 1)) { tasks in
            tasks.register("proj.wait", options: .init(acks: .late)) { (context: TaskContext) -> Int in
                await gate.wait()
                return 1
            }
        } _: { harness in
            let ids = try (0..<2).map { _ in try harness.send("proj.wait") }
            try await eventually("both are fetched") { harness.worker.statistics.received == 2 }
            harness.worker.cancelConsumer(queue: "celery")
            try await eventually("it is cancelled") { harness.broker.consumerCount(of: "celery") == 0 }
            try harness.send("proj.wait")
            gate.open()
            for id in ids { #expect(try await harness.result(of: id).result == 1) }
            try await eventually("all are settled") { harness.broker.unackedCount(of: "celery") == 0 }
            #expect(harness.worker.statistics.staleSettlements == 0)
            #expect(harness.broker.messages(in: "celery").count == 1)
        }
    }

    @Test("a further queue that cannot be declared is tried again and ends nothing")
    func undeclarable() async throws {
        let other = InMemoryBroker()
        try await WorkerHarness.run(broker: other, register: Self.register) { harness in
            // An exclusive queue of somebody else.
            let stranger = try await other.connect(.consume)
            let channel = try await stranger.openChannel()
            _ = try await channel.declareQueue(QueueDeclaration(name: "locked", exclusive: true))
            try harness.worker.addConsumer(queue: "locked")
            try await eventually("it was tried") {
                harness.logs.messages.filter { $0 == "Cannot consume, trying again" }.count >= 2
            }
            await stranger.close()
            try await eventually("it is consumed") { other.consumerCount(of: "locked") == 1 }
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
        }
    }

    @Test("a channel that the broker ends is opened again, on the same connection")
    func channelException() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.broker.failConsumingChannels(of: "celery")
            try await eventually("consuming again") { harness.broker.consumerCount(of: "celery") == 1 }
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
            #expect(harness.worker.statistics.reconnects == 0)
            #expect(harness.logs.messages.contains("A channel has ended"))
        }
    }

    @Test("a loss is noticed at once while a queue waits to be tried again")
    func lossDuringBackoff() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            for _ in 0..<5 {
                // Each time the wait is longer.
                harness.broker.failConsumingChannels(of: "celery")
                try await eventually("consuming again") { harness.broker.consumerCount(of: "celery") == 1 }
            }
            harness.broker.failConsumingChannels(of: "celery")
            harness.broker.failConnections()
            try await eventually("connected again") { harness.worker.statistics.reconnects == 1 }
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
        }
    }

    @Test("broker_connection_retry turned off: a lost connection ends the worker")
    func noRetry() async throws {
        var celery = CeleryConfiguration()
        celery.brokerConnectionRetry = false
        celery.brokerConnectionRetryOnStartup = true
        let broker = InMemoryBroker()
        broker.refusesConnections = true
        let harness = try WorkerHarness(
            WorkerConfiguration(),
            celery: celery,
            broker: broker,
            register: Self.register
        )
        let running = Task { try await harness.worker.run() }
        broker.refusesConnections = false
        await harness.worker.waitUntilReady()
        broker.failConnections()
        let error = await #expect(throws: CeleryError.self) { try await running.value }
        #expect(error?.code == .connection)
        #expect(harness.logs.lines.contains { $0.level == "critical" })
    }

    @Test("an outage fills the log with no more lines than Celery's")
    func quietOutage() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let start = ContinuousClock.now
            harness.broker.refusesConnections = true
            harness.broker.failConnections()
            try await eventually("attempts in between were made") {
                harness.logs.messages.filter { $0 == "still no broker" }.count >= 4
            }
            harness.broker.refusesConnections = false
            try await eventually("connected again") { harness.worker.statistics.reconnects == 1 }
            let lines = harness.logs.lines.filter {
                $0.message.hasPrefix("Cannot connect") && $0.metadata["role"] == "consume"
            }
            // Of many attempts the first is worth a line; the next comes after 2 seconds.
            let seconds = (ContinuousClock.now - start).seconds
            #expect(lines.count >= 1)
            #expect(Double(lines.count) <= 1 + seconds / 2)
            #expect(lines.first?.metadata["attempt"] == "1/100")
        }
    }

    @Test("a blocked broker is counted and shown")
    func blocked() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try await eventually("the publishing connection is there") { harness.broker.openConnectionCount == 2 }
            #expect(!harness.worker.statistics.isPublishingBlocked)
            for count in 1...2 {
                harness.broker.isBlocked = true
                try await eventually("it is blocked") { harness.worker.statistics.isPublishingBlocked }
                #expect(harness.worker.statistics.blockedPublishing == count)
                harness.broker.isBlocked = false
                try await eventually("it is not blocked") { !harness.worker.statistics.isPublishingBlocked }
            }
        }
    }

    @Test("another credit is that of a new consumer; what was delivered stays valid")
    func credit() async throws {
        let gate = TestGate()
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 2)
        try await WorkerHarness.run(configuration) { tasks in
            tasks.register("proj.wait", options: .init(acks: .late)) { (context: TaskContext) in await gate.wait() }
        } _: { harness in
            for _ in 0..<20 { try harness.send("proj.wait") }
            try await eventually("the credit is used") { harness.broker.unackedCount(of: "celery") == 2 }
            let name = DesiredConsumer.Name(role: .tasks, queue: "celery")
            #expect(harness.worker.parts.consuming.setCredit(5, of: name))
            try await eventually("the new credit is used") { harness.broker.unackedCount(of: "celery") == 7 }
            try await eventually("the old consumer ends") { harness.broker.consumerCount(of: "celery") == 1 }
            harness.broker.failConnections()
            try await eventually("the new credit is kept") { harness.broker.unackedCount(of: "celery") == 5 }
            gate.open()
            try await harness.queueIsEmpty()
        }
    }

    @Test("control and event queues: exclusive, auto-delete, without ack, with a handler of their own")
    func handlers() async throws {
        let exchange = ExchangeDeclaration(name: "control", type: "fanout")
        let control = DesiredConsumer(
            Queue("w.pidbox", exchange: exchange, durable: false, exclusive: true, autoDelete: true),
            role: .control,
            tagPrefix: "c",
            credit: 0,
            noAck: true
        )
        let bodies = Mutex<[[UInt8]]>([])
        try await WorkerHarness.run(register: Self.register) { harness in
            let consuming = harness.worker.parts.consuming
            consuming.addExchange(ExchangeDeclaration(name: "celeryev", type: "topic"))
            consuming.addQueue("letters")
            consuming.addConsumer(control) { event, _ in
                guard case .deliveries(let messages) = event else { return }
                bodies.withLock { $0 += messages.map(\.body) }
            }
            for round in 1...2 {
                try await eventually("everything is there") {
                    harness.broker.consumerCount(of: "w.pidbox") == 1
                        && harness.broker.declaration(ofExchange: "celeryev") != nil
                        && harness.broker.declaration(ofQueue: "letters") != nil
                }
                #expect(harness.broker.declaration(ofQueue: "w.pidbox")?.exclusive == true)
                try harness.broker.publish(OutgoingMessage(exchange: "control", routingKey: "", body: [UInt8(round)]))
                try await eventually("it is handled") { bodies.withLock { $0.count } == round }
                #expect(harness.broker.unackedCount(of: "w.pidbox") == 0)
                if round == 1 {
                    harness.broker.deleteQueue("letters")
                    harness.broker.deleteExchange("celeryev")
                    harness.broker.failConnections()
                    // The exclusive queue goes with its connection.
                    try await eventually("it is gone or new") { harness.worker.statistics.reconnects == 1 }
                }
            }
            #expect(bodies.withLock { $0 } == [[1], [2]])
            #expect(harness.worker.queues.map(\.name) == ["celery"])
            #expect(consuming.removeConsumer(control.name))
            try await eventually("it goes") { harness.broker.declaration(ofQueue: "w.pidbox") == nil }
        }
    }
}
