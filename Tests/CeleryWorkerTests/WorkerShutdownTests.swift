import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Testing

/// The steps from a warm to a cold shutdown.
@Suite("Worker: shutdown")
struct WorkerShutdownTests {
    /// A worker that runs one late and one early task, which end when they are cancelled.
    private func withRunningTasks(
        _ celery: CeleryConfiguration,
        _ body: (WorkerHarness, _ late: String, _ early: String, Task<Void, any Error>) async throws -> Void
    ) async throws {
        let harness = try WorkerHarness(
            WorkerConfiguration(concurrency: 2),
            celery: celery,
            broker: InMemoryBroker()
        ) { tasks in
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
        try await body(harness, late, early, running)
    }

    private func expectCancelled(_ harness: WorkerHarness, late: String, early: String) throws {
        #expect(harness.broker.messages(in: "celery").map(\.properties.correlationID) == [late])
        let result = try #require(try harness.results(of: early).last)
        #expect(result.state == .retry)
        #expect(result.exception?.type == "Retry")
        #expect(try harness.results(of: late).isEmpty)
    }

    @Test("a warm shutdown becomes a cold one when its grace period is over")
    func gracePeriod() async throws {
        var celery = CeleryConfiguration()
        celery.workerShutdownGracePeriod = .milliseconds(200)
        try await withRunningTasks(celery) { harness, late, early, running in
            let start = ContinuousClock.now
            harness.worker.triggerShutdown()
            try await running.value
            #expect(ContinuousClock.now - start >= .milliseconds(200))
            try expectCancelled(harness, late: late, early: early)
            #expect(harness.logs.messages.contains { $0.hasPrefix("The grace period is over") })
        }
    }

    @Test("a cold shutdown waits for running tasks first, where there is a soft one")
    func softShutdown() async throws {
        var celery = CeleryConfiguration()
        celery.workerSoftShutdownTimeout = .milliseconds(300)
        try await withRunningTasks(celery) { harness, late, early, running in
            let start = ContinuousClock.now
            harness.worker.triggerShutdown(.cold)
            try await running.value
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            try expectCancelled(harness, late: late, early: early)
            #expect(harness.logs.messages.contains("Initiating Soft Shutdown, terminating in 0.3 seconds"))
        }
    }

    @Test("an immediate shutdown cuts the soft one short")
    func immediate() async throws {
        var celery = CeleryConfiguration()
        celery.workerSoftShutdownTimeout = .seconds(3600)
        try await withRunningTasks(celery) { harness, late, early, running in
            harness.worker.triggerShutdown(.cold)
            try await Task.sleep(for: .milliseconds(50))
            #expect(harness.worker.runningTasks.count == 2)
            harness.worker.triggerShutdown(.immediate)
            try await running.value
            try expectCancelled(harness, late: late, early: early)
        }
    }

    @Test("an idle worker does not wait in a soft shutdown, unless it is told to")
    func idle() async throws {
        for waits in [false, true] {
            var celery = CeleryConfiguration()
            celery.workerSoftShutdownTimeout = waits ? .milliseconds(300) : .seconds(3600)
            celery.workerEnableSoftShutdownOnIdle = waits
            let harness = try WorkerHarness(
                WorkerConfiguration(),
                celery: celery,
                broker: InMemoryBroker()
            ) { _ in }
            let running = Task { try await harness.worker.run() }
            await harness.worker.waitUntilReady()
            let start = ContinuousClock.now
            harness.worker.triggerShutdown(.cold)
            try await running.value
            #expect((ContinuousClock.now - start >= .milliseconds(300)) || !waits)
        }
    }

    @Test("the caller of an early task hears of a cold shutdown also if the task does not end")
    func stubbornEarlyTask() async throws {
        let gate = TestGate()
        let configuration = WorkerConfiguration(concurrency: 2, cancellationTimeout: .milliseconds(50))
        let harness = try WorkerHarness(configuration, celery: CeleryConfiguration(), broker: InMemoryBroker()) {
            tasks in
            tasks.register("proj.early") { (context: TaskContext) in gate.block() }
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) in gate.block() }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        let early = try harness.send("proj.early")
        let late = try harness.send("proj.late")
        try await eventually("both are running") { harness.worker.statistics.started == 2 }
        harness.worker.triggerShutdown(.cold)
        try await running.value
        try expectCancelled(harness, late: late, early: early)
        gate.open()
    }

    @Test("running tasks are listed, the oldest first")
    func runningTasks() async throws {
        try await withRunningTasks(CeleryConfiguration()) { harness, late, early, running in
            try await eventually("both have begun") {
                harness.worker.runningTasks.allSatisfy { $0.startedAt != nil }
            }
            let tasks = harness.worker.runningTasks
            #expect(Set(tasks.map(\.id)) == [late, early])
            #expect(Set(tasks.map(\.name)) == ["proj.late", "proj.early"])
            #expect(tasks.first { $0.id == late }?.acksLate == true)
            #expect(tasks.allSatisfy { $0.processID == nil })
            #expect(tasks.allSatisfy { ($0.startedAt ?? .distantFuture) <= Date() })
            harness.worker.triggerShutdown(.cold)
            try await running.value
            #expect(harness.worker.runningTasks.isEmpty)
        }
    }
}
