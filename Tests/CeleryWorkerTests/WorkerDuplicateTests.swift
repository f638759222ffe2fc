import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import Testing

@Suite("Worker: messages that come again")
struct WorkerDuplicateTests {
    /// Loses the connections while one task runs, and waits until its message has come again and is held.
    private func loseConnections(_ harness: WorkerHarness, held: Int = 1) async throws {
        try await eventually("it is running") { harness.worker.statistics.started == 1 }
        let consumers = harness.worker.statistics.consumers
        harness.broker.failConnections()
        try await eventually("consuming again") { harness.worker.statistics.consumers == consumers + 1 }
        try await eventually("the copy is held") { harness.worker.statistics.heldDuplicates == held }
    }

    private static func late(
        _ tasks: inout TaskRegistry,
        acksOnFailure: Bool? = nil,
        _ body: @escaping @Sendable () async throws -> Int
    ) {
        tasks.register("proj.late", options: .init(acks: .late, acksOnFailure: acksOnFailure)) {
            (context: TaskContext) -> Int in try await body()
        }
    }

    @Test("one run, one result, one acknowledgement; also over several losses")
    func success() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 2)) { tasks in
            Self.late(&tasks) {
                await gate.wait()
                return 7
            }
        } _: { harness in
            let id = try harness.send("proj.late")
            try await loseConnections(harness)
            try await loseConnections(harness, held: 2)
            #expect(harness.broker.unackedCount(of: "celery") == 1)
            gate.open()
            #expect(try await harness.result(of: id).result == 7)
            try await harness.queueIsEmpty()

            let statistics = harness.worker.statistics
            #expect(statistics.started == 1)
            #expect(statistics.settledDuplicates == 1)
            #expect(statistics.staleSettlements == 1)
            #expect(try harness.results(of: id).count == 1)
        }
    }

    @Test("the copy of a failure is acknowledged or rejected as the settings say", arguments: [true, false])
    func failure(acks: Bool) async throws {
        let gate = TestGate()
        let broker = InMemoryBroker()
        WorkerDeliveryTests.declareDeadLetters(broker)
        try await WorkerHarness.run(celery: WorkerDeliveryTests.deadLettering, broker: broker) { tasks in
            Self.late(&tasks, acksOnFailure: acks) {
                await gate.wait()
                throw TaskError(type: "ValueError", "x")
            }
        } _: { harness in
            let id = try harness.send("proj.late")
            try await loseConnections(harness)
            gate.open()
            #expect(try await harness.result(of: id).state == .failure)
            try await harness.queueIsEmpty()
            #expect(harness.broker.messages(in: "dead").count == (acks ? 0 : 1))
            #expect(harness.worker.statistics.started == 1)
        }
    }

    @Test("a retry of the run goes its own way: it is not taken for a copy")
    func retry() async throws {
        let gate = TestGate()
        try await WorkerHarness.run { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) -> Int in
                await gate.wait()
                guard context.retries > 0 else { throw Retry(after: .zero) }
                return context.retries
            }
        } _: { harness in
            let id = try harness.send("proj.late")
            try await loseConnections(harness)
            gate.open()
            #expect(try await harness.result(of: id).result == 1)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 2)
            #expect(harness.worker.statistics.settledDuplicates == 1)
        }
    }

    @Test("a run that wants its message back gets it, and runs again")
    func requeue() async throws {
        let gate = TestGate()
        let runs = TestGate()
        try await WorkerHarness.run { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) -> Int in
                guard !context.deliveryInfo.redelivered else {
                    runs.open()
                    return 2
                }
                await gate.wait()
                throw Reject("not now", requeue: true)
            }
        } _: { harness in
            let id = try harness.send("proj.late")
            try await loseConnections(harness)
            gate.open()
            await runs.wait()
            #expect(try await harness.result(of: id).result == 2)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 2)
        }
    }

    @Test("a result that waits for its confirm when the connection breaks counts as a run that goes on")
    func unconfirmed() async throws {
        try await WorkerHarness.run { tasks in
            Self.late(&tasks) { 7 }
        } _: { harness in
            harness.broker.holdsConfirms = true
            let id = try harness.send("proj.late")
            _ = try await harness.result(of: id)
            harness.broker.failConnections()
            try await eventually("the copy is held") { harness.worker.statistics.heldDuplicates == 1 }
            harness.broker.holdsConfirms = false
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 1)
        }
    }

    @Test("a run that ends before its message comes again leaves nothing to run")
    func endsBeforeCopy() async throws {
        let gate = TestGate()
        try await WorkerHarness.run { tasks in
            Self.late(&tasks) {
                await gate.wait()
                return 7
            }
        } _: { harness in
            let id = try harness.send("proj.late")
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            let replies = harness.broker.publishedCount
            harness.broker.refusesConnections = true
            harness.broker.failConnections()
            gate.open()
            try await Task.sleep(for: .milliseconds(50))
            #expect(harness.broker.publishedCount == replies)
            harness.broker.refusesConnections = false
            #expect(try await harness.result(of: id).result == 7)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 1)
            #expect(harness.worker.statistics.settledDuplicates == 1)
        }
    }

    @Test("at a shutdown the copy is kept for the end of the run, and settled by it")
    func warmShutdown() async throws {
        let gate = TestGate()
        let broker = InMemoryBroker()
        try await WorkerHarness.run(broker: broker) { tasks in
            Self.late(&tasks) {
                await gate.wait()
                return 7
            }
        } _: { harness in
            try harness.send("proj.late")
            try await loseConnections(harness)
            harness.worker.triggerShutdown()
            try await eventually("nothing is consumed") { broker.consumerCount(of: "celery") == 0 }
            #expect(broker.unackedCount(of: "celery") == 1)
            gate.open()
        }
        #expect(broker.messages(in: "celery").isEmpty)
    }

    @Test("at a cold shutdown the copy goes back with the run")
    func coldShutdown() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(
            WorkerConfiguration(concurrency: 1),
            celery: CeleryConfiguration(),
            broker: broker
        ) { tasks in
            Self.late(&tasks) {
                try await Task.sleep(for: .seconds(3600))
                return 7
            }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        let id = try harness.send("proj.late")
        try await loseConnections(harness)
        harness.worker.triggerShutdown(.cold)
        try await running.value
        #expect(broker.messages(in: "celery").map(\.properties.correlationID) == [id])
        #expect(try harness.results(of: id).isEmpty)
    }

    @Test("an early task whose acknowledgement was lost with the connection does not run twice")
    func early() async throws {
        let gate = TestGate()
        try await WorkerHarness.run { tasks in
            tasks.register("proj.early") { (context: TaskContext) -> Int in
                await gate.wait()
                return 7
            }
        } _: { harness in
            harness.broker.losesSettlements = true
            let id = try harness.send("proj.early")
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            harness.broker.failConnections()
            harness.broker.losesSettlements = false
            try await eventually("the copy is held") { harness.worker.statistics.heldDuplicates == 1 }
            gate.open()
            #expect(try await harness.result(of: id).result == 7)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 1)
        }
    }

    @Test("a late task whose acknowledgement was lost on a dead connection does not run twice")
    func lostAcknowledgement() async throws {
        try await WorkerHarness.run { tasks in
            Self.late(&tasks) { 7 }
        } _: { harness in
            harness.broker.losesSettlements = true
            let id = try harness.send("proj.late")
            #expect(try await harness.result(of: id).result == 7)
            try await eventually("it is settled") { harness.worker.statistics.succeeded == 1 }
            try await Task.sleep(for: .milliseconds(20))
            harness.broker.failConnections()
            harness.broker.losesSettlements = false
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 1)
            #expect(harness.worker.statistics.settledDuplicates == 1)
            #expect(harness.worker.statistics.staleSettlements == 0)
        }
    }

    @Test("with the setting, late tasks are cancelled with their connection and run again; early ones go on")
    func cancelled() async throws {
        let gate = TestGate()
        var celery = CeleryConfiguration()
        celery.workerCancelLongRunningTasksOnConnectionLoss = true
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 2), celery: celery) { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) -> Int in
                if !context.deliveryInfo.redelivered { try await Task.sleep(for: .seconds(3600)) }
                return 7
            }
            tasks.register("proj.early") { (context: TaskContext) -> Int in
                await gate.wait()
                try Task.checkCancellation()
                return 8
            }
        } _: { harness in
            let late = try harness.send("proj.late")
            let early = try harness.send("proj.early")
            try await eventually("both are running") { harness.worker.statistics.started == 2 }
            harness.broker.failConnections()
            #expect(try await harness.result(of: late).result == 7)
            gate.open()
            #expect(try await harness.result(of: early).result == 8)
            try await harness.queueIsEmpty()

            #expect(harness.worker.statistics.cancelledRuns == 1)
            #expect(harness.worker.statistics.started == 3)
            let states = try harness.results(of: late)
            #expect(states.map(\.state) == [.retry, .success])
            #expect(states.first?.exception?.type == "Retry")
        }
    }
}
