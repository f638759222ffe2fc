import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Testing

@Suite("Worker: hand-over to the delay ladder")
struct WorkerHandoverTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
    }

    /// What waits on any level of the ladder.
    private static func waiting(_ broker: InMemoryBroker) -> [OutgoingMessage] {
        (0..<28).flatMap { broker.messages(in: "celery_delayed_\($0)") }
    }

    @Test("what is due much later goes to the ladder, with its queue in the key; the rest waits in the worker")
    func farTasks() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let near = try harness.send("proj.add", [1, 2], options: TaskOptions(countdown: .seconds(600)))
            let far = try harness.send("proj.add", [1, 2], options: TaskOptions(countdown: .seconds(3600)))
            let now = try harness.send("proj.add", [2, 2])
            #expect(try await harness.result(of: now).result == 4)
            try await eventually("it is handed over") { harness.worker.statistics.handedOver == 1 }
            let message = try #require(Self.waiting(harness.broker).first)
            #expect(message.properties.correlationID == far)
            #expect(message.routingKey.hasSuffix(".swcelery.celery"))
            #expect(message.properties.headers?["id"] == .string(far))
            try await eventually("it is acknowledged") { harness.broker.unackedCount(of: "celery") == 1 }
            #expect(try harness.results(of: near).isEmpty)
        }
    }

    @Test("what comes beyond the bound of the heap goes to the ladder, and the worker goes on fetching")
    func fullHeap() async throws {
        var celery = CeleryConfiguration()
        celery.workerETATaskLimit = 5
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            for _ in 0..<50 { try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(600))) }
            let now = try harness.send("proj.add", [2, 2])
            #expect(try await harness.result(of: now).result == 4)
            try await eventually("all are handed over") { Self.waiting(harness.broker).count >= 40 }
            try await eventually("the rest is held") {
                harness.broker.unackedCount(of: "celery") + Self.waiting(harness.broker).count == 50
            }
        }
    }

    @Test("a shutdown waits for copies that are on their way: nothing goes back beside its copy")
    func shutdown() async throws {
        let broker = InMemoryBroker()
        try await WorkerHarness.run(broker: broker, register: Self.register) { harness in
            broker.holdsConfirms = true
            try harness.send("proj.add", [1, 2], options: TaskOptions(countdown: .seconds(3600)))
            try await eventually("its copy is on the ladder") { Self.waiting(broker).count == 1 }
            Task {
                try await eventually("it ends") { harness.logs.messages.contains("Shutting down") }
                try await Task.sleep(for: .milliseconds(300))
                broker.holdsConfirms = false
            }
        }
        #expect(Self.waiting(broker).count == 1)
        #expect(broker.messages(in: "celery").isEmpty)
    }

    @Test("a queue that was deleted and made anew is bound to the ladder's exit again")
    func deletedQueue() async throws {
        let key = String(repeating: "*.", count: 28) + "swcelery.celery"
        try await WorkerHarness.run(register: Self.register) { harness in
            for count in 1...2 {
                try harness.send("proj.add", [1, 2], options: TaskOptions(countdown: .seconds(3600)))
                try await eventually("it is handed over") { harness.worker.statistics.handedOver == count }
                #expect(harness.broker.isBound("celery", to: "celery_delayed_delivery", routingKey: key))
                guard count == 1 else { break }
                harness.broker.deleteQueue("celery")
                try await eventually("it is consumed again") { harness.broker.consumerCount(of: "celery") == 1 }
                #expect(!harness.broker.isBound("celery", to: "celery_delayed_delivery", routingKey: key))
            }
        }
    }

    @Test("where the ladder may not be declared, tasks stay in the worker")
    func forbidden() async throws {
        let broker = InMemoryBroker()
        broker.protectedNames = Set((0..<28).map { "celery_delayed_\($0)" })
        try await WorkerHarness.run(broker: broker, register: Self.register) { harness in
            for _ in 0..<3 { try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(3600))) }
            try await eventually("it has failed") { harness.worker.statistics.failedHandovers >= 1 }
            let now = try harness.send("proj.add", [2, 2])
            #expect(try await harness.result(of: now).result == 4)
            #expect(harness.broker.unackedCount(of: "celery") == 3)
            #expect(harness.worker.statistics.handedOver == 0)
        }
    }

    @Test("what comes back from the ladder a little early waits for the rest, and a retry goes to its own queue")
    func comesBack() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.again") { (context: TaskContext) -> String in
                guard context.retries > 0 else { throw Retry(after: .zero) }
                return context.deliveryInfo.routingKey
            }
        } _: { harness in
            let key = String(repeating: "0.", count: 27) + "1.swcelery.celery"
            harness.broker.declareExchange(ExchangeDeclaration(name: "celery_delayed_4", type: "topic"))
            harness.broker.declareQueue(
                QueueDeclaration(name: "celery"),
                boundTo: "celery_delayed_4",
                routingKey: String(repeating: "*.", count: 28) + "swcelery.celery"
            )
            var properties = BasicProperties()
            properties.contentType = "application/json"
            properties.contentEncoding = "utf-8"
            properties.replyTo = WorkerHarness.replies
            let eta = WireDate(Date().addingTimeInterval(0.4)).text
            properties.headers = ["task": "proj.again", "id": "the-id", "eta": .string(eta)]
            let start = ContinuousClock.now
            try harness.broker.publish(
                OutgoingMessage(
                    exchange: "celery_delayed_4",
                    routingKey: key,
                    properties: properties,
                    body: Array("[[], {}, {}]".utf8)
                )
            )
            let result = try await harness.result(of: "the-id")
            #expect(ContinuousClock.now - start >= .milliseconds(390))
            #expect(result.result == "celery")
            try await harness.queueIsEmpty()
        }
    }
}
