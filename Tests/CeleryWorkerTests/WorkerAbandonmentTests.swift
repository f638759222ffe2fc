import Celery
import CeleryProtocol
import CeleryTestKit
import Logging
import Testing

@testable import CeleryWorker

@Suite("Worker: bodies that ignore their cancellation")
struct WorkerAbandonmentTests {
    private static func configuration(
        _ concurrency: Int,
        restartTimeout: Duration? = nil
    ) -> WorkerConfiguration {
        WorkerConfiguration(
            concurrency: concurrency,
            abandonmentTimeout: .milliseconds(20),
            restartTimeout: restartTimeout
        )
    }

    @Test("a hard limit is reported although the body goes on, and its slot serves on", arguments: [true, false])
    func hardLimit(blocks: Bool) async throws {
        let gate = TestGate()
        try await WorkerHarness.run(Self.configuration(1)) { tasks in
            tasks.register("proj.stubborn", options: .init(acks: .late, timeLimit: .milliseconds(20))) {
                (context: TaskContext) -> String in
                if blocks { gate.block() } else { await gate.wait() }
                return "too late"
            }
            tasks.register("proj.next") { (context: TaskContext) in "served" }
        } _: { harness in
            for count in 1...3 {
                let failed = try await harness.result(of: harness.send("proj.stubborn"))
                #expect(failed.exception?.type == "TimeLimitExceeded")
                let served = try await harness.result(of: harness.send("proj.next"))
                #expect(served.result == "served")
                #expect(harness.worker.statistics.abandoned == count)
            }
            gate.open()
            try await eventually("nothing runs") { harness.worker.parts.pool.runningCount == 0 }
            #expect(harness.worker.parts.ledger.count == 0)
            #expect(harness.worker.statistics.failed == 3)
            #expect(harness.worker.statistics.succeeded == 3)
        }
    }

    @Test("a revoke ends a body that obeys, and abandons one that does not")
    func revoke() async throws {
        let gate = TestGate()
        let started = WorkerCounters.Counter()
        try await WorkerHarness.run(Self.configuration(2)) { tasks in
            tasks.register("proj.stubborn") { (context: TaskContext) in
                started.add()
                await gate.wait()
            }
            tasks.register("proj.obedient") { (context: TaskContext) in
                started.add()
                try await Task.sleep(for: .seconds(3600))
            }
        } _: { harness in
            for task in ["proj.stubborn", "proj.obedient"] {
                let before = started.count
                let id = try harness.send(task)
                try await eventually("it has started") { started.count > before }
                let running = harness.worker.parts.pool.running
                #expect(running.map { $0.id } == [id])
                for request in running { request.interruption.interrupt(.revoked(signal: "SIGTERM")) }
                let result = try await harness.result(of: id)
                #expect(result.state == .revoked)
                #expect(result.exception == .revoked("terminated"))
            }
            #expect(harness.worker.statistics.abandoned == 1)
            gate.open()
        }
    }

    @Test("a body that goes on for too long ends the worker, which says why")
    func restart() async throws {
        let gate = TestGate()
        let configuration = Self.configuration(1, restartTimeout: .milliseconds(20))
        let harness = try WorkerHarness(configuration, celery: CeleryConfiguration(), broker: InMemoryBroker()) {
            $0.register("proj.stubborn", options: .init(timeLimit: .milliseconds(20))) { (context: TaskContext) in
                gate.block()
            }
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        try harness.send("proj.stubborn")
        let error = await #expect(throws: CeleryError.self) { try await running.value }
        #expect(error?.code == .taskAbandoned)
        gate.open()
    }

    @Test("what follows a task that ended well after its soft limit is sent")
    func callbacksAfterCancellation() async throws {
        try await WorkerHarness.run(Self.configuration(1)) { tasks in
            tasks.register("proj.catch", options: .init(softTimeLimit: .milliseconds(20))) {
                (context: TaskContext) -> Int in
                try? await Task.sleep(for: .seconds(3600))
                return 20
            }
            tasks.register("proj.add") { (x: Int, y: Int) in
                #expect(!Task.isCancelled)
                return x + y
            }
        } _: { harness in
            let chain = Chain([Signature("proj.catch"), Signature("proj.add", args: [1])])
            let result = try await harness.result(of: harness.send(chain.signature))
            #expect(result.result == 21)
        }
    }
}

@Suite("Worker: the pool inside of the process")
struct InProcessPoolTests {
    @Test("slots come and go, and no request is lost")
    func resize() async throws {
        let gate = TestGate()
        let running = WorkerCounters.Counter()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 2, prefetchMultiplier: 50)) { tasks in
            tasks.register("proj.hold") { (context: TaskContext) in
                running.add()
                await gate.wait()
                running.add(-1)
            }
            tasks.register("proj.brief") { (context: TaskContext) in await Task.yield() }
        } _: { harness in
            let pool = harness.worker.parts.pool
            for _ in 0..<6 { try harness.send("proj.hold") }
            try await eventually("two run") { running.count == 2 }
            pool.resize(to: 5)
            try await eventually("five run") { running.count == 5 }
            pool.resize(to: 1)
            pool.resize(to: 3)
            gate.open()
            try await eventually("all have ended") { harness.worker.statistics.succeeded == 6 }
            for _ in 0..<200 { try harness.send("proj.brief") }
            for size in [1, 8, 2, 4] { pool.resize(to: size) }
            try await eventually("all of them have run") { harness.worker.statistics.succeeded == 206 }
        }
    }

    @Test("idle slots beyond the new size end, so that no more tasks run at once")
    func shrink() async throws {
        let gate = TestGate()
        let running = WorkerCounters.Counter()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 4)) { tasks in
            tasks.register("proj.hold") { (context: TaskContext) in
                running.add()
                await gate.wait()
            }
        } _: { harness in
            harness.worker.parts.pool.resize(to: 2)
            for _ in 0..<4 { try harness.send("proj.hold") }
            try await eventually("two run") { running.count == 2 }
            try await Task.sleep(for: .milliseconds(50))
            #expect(running.count == 2)
            gate.open()
            try await eventually("all have run") { harness.worker.statistics.succeeded == 4 }
        }
    }

    @Test("bodies registered as blocking hold up no other task")
    func blocking() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 101)) { tasks in
            tasks.register("proj.block", options: .init(blocking: true)) { (context: TaskContext) in gate.block() }
            tasks.register("proj.next") { (context: TaskContext) in "served" }
        } _: { harness in
            for _ in 0..<100 { try harness.send("proj.block") }
            try await eventually("all block") { harness.worker.parts.pool.runningCount == 100 }
            let served = try await harness.result(of: harness.send("proj.next"))
            #expect(served.result == "served")
            gate.open()
            try await eventually("all have ended") { harness.worker.statistics.succeeded == 101 }
        }
    }
}
