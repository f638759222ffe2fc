import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Synchronization
import Testing

@Suite("Worker: lifecycle")
struct WorkerLifecycleTests {
    @Test("a warm shutdown finishes fifty running tasks and gives back what has not started")
    func warmShutdown() async throws {
        let gate = TestGate()
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(
            WorkerConfiguration(concurrency: 50, prefetchMultiplier: 2),
            celery: CeleryConfiguration(),
            broker: broker
        ) { tasks in
            tasks.register("proj.wait", arguments: "x") { (x: Int) in
                await gate.wait()
                return x
            }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        let ids = try (0..<100).map { try harness.send("proj.wait", [.int($0)]) }
        let later = try harness.send("proj.wait", [7], options: TaskOptions(countdown: .seconds(600)))
        try await eventually("fifty are running") { harness.worker.statistics.started == 50 }

        harness.worker.triggerShutdown()
        try await eventually("the rest is back") { broker.messages(in: "celery").count == 51 }
        #expect(broker.consumerCount(of: "celery") == 0)
        #expect(broker.messages(in: WorkerHarness.replies).isEmpty)
        gate.open()
        try await running.value

        let results = try broker.messages(in: WorkerHarness.replies).map { try ResultMessage(decoding: $0.body) }
        #expect(results.count == 50)
        #expect(results.allSatisfy { $0.state == .success })
        let back = try broker.messages(in: "celery").map {
            try TaskMessage.decode(properties: $0.properties, body: $0.body).headers.id
        }
        #expect(Set(back).union(results.map(\.taskID)) == Set(ids + [later]))
        #expect(broker.unackedCount(of: "celery") == 0)
        #expect(broker.openConnectionCount == 0)
        #expect(harness.worker.statistics.returned == 51)
    }

    @Test("a graceful end waits for the confirms of late tasks")
    func shutdownWaitsForConfirms() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: broker) { tasks in
            tasks.register("proj.one", options: .init(acks: .late)) { (context: TaskContext) -> Int in 1 }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        broker.holdsConfirms = true
        let id = try harness.send("proj.one")
        _ = try await harness.result(of: id)
        harness.worker.triggerShutdown()
        try await Task.sleep(for: .milliseconds(50))
        #expect(broker.unackedCount(of: "celery") == 1)
        broker.holdsConfirms = false
        try await running.value
        #expect(broker.messages(in: "celery").isEmpty)
        #expect(broker.openConnectionCount == 0)
    }

    @Test("a cold shutdown cancels running tasks; late ones go back, callers of early ones hear of it")
    func coldShutdown() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: broker) { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) in
                try await Task.sleep(for: .seconds(3600))
            }
            tasks.register("proj.early") { (context: TaskContext) in try await Task.sleep(for: .seconds(3600)) }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        let late = try harness.send("proj.late")
        let early = try harness.send("proj.early")
        try await eventually("both are running") { harness.worker.statistics.started == 2 }
        harness.worker.triggerShutdown()
        harness.worker.triggerShutdown(.cold)
        try await running.value

        #expect(broker.messages(in: "celery").map(\.properties.correlationID) == [late])
        let result = try #require(try harness.results(of: early).last)
        #expect(result.state == .retry)
        #expect(result.exception?.type == "Retry")
    }

    @Test("a cancelled caller gets an orderly end")
    func cancelledRun() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: broker) { _ in }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        running.cancel()
        try await running.value
        #expect(broker.openConnectionCount == 0)
    }

    @Test("a body that does not heed cancellation cannot hold a cold shutdown up")
    func stubbornTask() async throws {
        let gate = TestGate()
        let configuration = WorkerConfiguration(cancellationTimeout: .milliseconds(50))
        let harness = try WorkerHarness(configuration, celery: CeleryConfiguration(), broker: InMemoryBroker()) {
            tasks in
            tasks.register("proj.block") { (context: TaskContext) in gate.block() }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        try harness.send("proj.block")
        try await eventually("it is running") { harness.worker.statistics.started == 1 }
        harness.worker.triggerShutdown(.cold)
        try await running.value
        gate.open()
    }

    @Test("a lost connection: running tasks go on, their late settlement is void, the rest comes again")
    func reconnect() async throws {
        let gate = TestGate()
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 8)
        try await WorkerHarness.run(configuration) { tasks in
            tasks.register("proj.late", arguments: "x", options: .init(acks: .late)) { (x: Int) in
                await gate.wait()
                return x
            }
        } _: { harness in
            let ids = try (0..<4).map { try harness.send("proj.late", [.int($0)]) }
            try harness.send("proj.late", [9], options: TaskOptions(countdown: .milliseconds(300)))
            try await eventually("one is running") { harness.worker.statistics.started == 1 }
            try await eventually("all are fetched") { harness.worker.statistics.received == 5 }
            harness.broker.failConnections()
            try await eventually("consuming again") { harness.worker.statistics.consumers == 2 }
            gate.open()
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            try await harness.queueIsEmpty()

            #expect(harness.worker.statistics.staleSettlements == 1)
            // The running one came again, and was settled by its first run.
            #expect(harness.worker.statistics.started == 5)
            #expect(harness.worker.statistics.settledDuplicates == 1)
            #expect(try harness.results(of: ids[0]).count == 1)
        }
    }

    @Test("results that were not confirmed when the connection broke are sent again")
    func unconfirmedResults() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.early") { (context: TaskContext) -> Int in 1 }
        } _: { harness in
            harness.broker.holdsConfirms = true
            let id = try harness.send("proj.early")
            _ = try await harness.result(of: id)
            harness.broker.failConnections()
            harness.broker.holdsConfirms = false
            try await eventually("the result came again") { try harness.results(of: id).count == 2 }
            #expect(harness.worker.statistics.lostResults == 0)
        }
    }

    @Test("tasks that end while there is no broker are answered when it is back")
    func brokerIsAway() async throws {
        let gate = TestGate()
        try await WorkerHarness.run { tasks in
            tasks.register("proj.early", arguments: "x") { (x: Int) in
                await gate.wait()
                return x
            }
        } _: { harness in
            let next = Signature("proj.early", args: [])
            let last = try harness.send(Chain([Signature("proj.early", args: [1]), next]).signature)
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            harness.broker.refusesConnections = true
            harness.broker.failConnections()
            gate.open()
            try await Task.sleep(for: .milliseconds(50))
            #expect(try harness.results(of: last).isEmpty)
            harness.broker.refusesConnections = false
            #expect(try await harness.result(of: last).result == 1)
        }
    }

    @Test("a queue that is deleted is declared and consumed again")
    func deletedQueue() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.one") { (context: TaskContext) -> Int in 1 }
        } _: { harness in
            harness.broker.deleteQueue("celery")
            try await eventually("consuming again") { harness.worker.statistics.consumers == 2 }
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
            #expect(harness.broker.openConnectionCount == 2)
        }
    }

    @Test("waits for a broker that is not there yet, as long as the settings allow")
    func brokerComesLate() async throws {
        let broker = InMemoryBroker()
        broker.refusesConnections = true
        let harness = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: broker) { _ in }
        let running = Task { try await harness.worker.run() }
        try await Task.sleep(for: .milliseconds(20))
        broker.refusesConnections = false
        await harness.worker.waitUntilReady()
        harness.worker.triggerShutdown()
        try await running.value
        #expect(harness.logs.messages.contains("\(harness.worker.hostname) ready."))

        var celery = CeleryConfiguration()
        celery.brokerConnectionMaxRetries = 0
        broker.refusesConnections = true
        let other = try WorkerHarness(WorkerConfiguration(), celery: celery, broker: broker) { _ in }
        let error = await #expect(throws: CeleryError.self) { try await other.worker.run() }
        #expect(error?.code == .connection)
    }

    @Test("ends at once when it is told to while there is no broker")
    func shutdownWithoutBroker() async throws {
        let broker = InMemoryBroker()
        broker.refusesConnections = true
        let harness = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: broker) { _ in }
        let running = Task { try await harness.worker.run() }
        try await Task.sleep(for: .milliseconds(20))
        harness.worker.triggerShutdown()
        try await running.value
    }

    @Test("does not start on a queue that may not be declared")
    func topologyRefused() async throws {
        let broker = InMemoryBroker()
        broker.protectedNames = ["celery"]
        let harness = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: broker) { _ in }
        let error = await #expect(throws: CeleryError.self) { try await harness.worker.run() }
        #expect(error?.code == .topology)
    }

    @Test("refuses tasks that are registered twice, and runs once")
    func misuse() async throws {
        let error = #expect(throws: CeleryError.self) {
            _ = try WorkerHarness(WorkerConfiguration(), celery: CeleryConfiguration(), broker: InMemoryBroker()) {
                tasks in
                tasks.register("proj.a") { (x: Int) in x }
                tasks.register("proj.a") { (x: String) in x }
            }
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("proj.a") == true)

        let harness = try WorkerHarness(
            WorkerConfiguration(),
            celery: CeleryConfiguration(),
            broker: InMemoryBroker()
        ) { _ in }
        harness.worker.triggerShutdown()
        try await harness.worker.run()
        await #expect(throws: CeleryError.self) { try await harness.worker.run() }
    }

    @Test("purges its queues at the start where it is told to")
    func purge() async throws {
        let broker = InMemoryBroker()
        broker.declareQueue(QueueDeclaration(name: "celery"))
        try broker.publish(OutgoingMessage(routingKey: "celery", body: [1]))
        try await WorkerHarness.run(WorkerConfiguration(purge: true), broker: broker, register: { _ in }) { harness in
            #expect(harness.worker.statistics.received == 0)
            #expect(broker.messages(in: "celery").isEmpty)
        }
    }
}

@Suite("Worker: time limits")
struct WorkerTimeLimitTests {
    @Test("a soft limit cancels the task, which fails by it unless it ends well")
    func soft() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.sleep", options: .init(softTimeLimit: .milliseconds(30))) { (context: TaskContext) in
                try await Task.sleep(for: .seconds(3600))
            }
            tasks.register("proj.catch", options: .init(softTimeLimit: .milliseconds(30))) {
                (context: TaskContext) -> String in
                do {
                    try await Task.sleep(for: .seconds(3600))
                    return "slept"
                } catch {
                    return "cleaned up"
                }
            }
        } _: { harness in
            let result = try await harness.result(of: harness.send("proj.sleep"))
            #expect(result.exception == ExceptionInfo(type: "SoftTimeLimitExceeded", module: "billiard.exceptions"))
            let caught = try await harness.result(of: harness.send("proj.catch"))
            #expect(caught.result == "cleaned up")
        }
    }

    @Test("a hard limit of the message fails the task, whatever it does")
    func hard() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.catch", options: .init(timeLimit: .seconds(60))) { (context: TaskContext) -> String in
                try? await Task.sleep(for: .seconds(3600))
                return "slept"
            }
        } _: { harness in
            let options = TaskOptions(timeLimit: .milliseconds(30))
            let result = try await harness.result(of: harness.send("proj.catch", options: options))
            #expect(result.exception?.type == "TimeLimitExceeded")
            #expect(result.exception?.module == "billiard.exceptions")
            #expect(result.exception?.arguments == [0.03])
        }
    }
}
