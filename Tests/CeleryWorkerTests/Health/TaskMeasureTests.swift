import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Synchronization
import Testing

@testable import CeleryWorker

/// What is measured of tasks, and what a worker tells of itself.
@Suite struct TaskMeasureTests {
    @Test func durationsAreCountedBySize() {
        let histogram = DurationHistogram()
        for microseconds in [-5, 0, 1_000, 1_001, 500_000, 4_000_000_000] as [Int64] {
            histogram.add(microseconds: microseconds)
        }
        let snapshot = histogram.snapshot
        #expect(snapshot.counts.count == DurationHistogram.bounds.count + 1)
        #expect(snapshot.counts[0] == 3)
        #expect(snapshot.counts[1] == 1)
        #expect(snapshot.counts.last == 1)
        #expect(snapshot.counts.reduce(0, +) == 6)
        #expect(abs(snapshot.sum - 4_000.501_996) < 0.000_01)
        #expect(DurationHistogram.bounds == DurationHistogram.bounds.sorted())
    }

    @Test func nothingIsMeasuredUnlessItIsAskedFor() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let id = try harness.send("add", [1])
            _ = try await harness.result(of: id)
            #expect(harness.worker.taskMeasures.isEmpty)
        }
    }

    @Test func runsAreMeasuredByTask() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.worker.measureTasks(limit: 500)
            // Once is enough.
            harness.worker.measureTasks(limit: 500)
            var published = TaskOptions()
            published.properties.timestamp = UInt64(Date().timeIntervalSince1970) - 100
            var exact = TaskOptions()
            exact.headers["timestamp_in_ms"] = .integer(Int((Date().timeIntervalSince1970 - 20) * 1_000))
            for options in [published, exact, TaskOptions()] {
                _ = try await harness.result(of: harness.send("add", [1], options: options))
            }
            for task in ["fail", "retry", "revoked"] {
                let options = task == "revoked" ? TaskOptions(taskID: "r1") : TaskOptions()
                if task == "revoked" { harness.worker.revoke(["r1"]) }
                _ = try await harness.result(of: harness.send(task, [1], options: options))
            }
            let measures = Dictionary(uniqueKeysWithValues: harness.worker.taskMeasures.map { ($0.name, $0) })
            let add = try #require(measures["add"])
            #expect(add.count(of: .succeeded) == 3)
            #expect(add.count(of: .failed) == 0)
            #expect(add.runtime.snapshot.counts.reduce(0, +) == 3)
            #expect(add.wait.snapshot.counts.reduce(0, +) == 3)
            #expect(add.latency.snapshot.counts.reduce(0, +) == 2)
            #expect((119.9...400).contains(add.latency.snapshot.sum))
            #expect(measures["fail"]?.count(of: .failed) == 1)
            #expect(measures["retry"]?.count(of: .retried) == 1)
            #expect(measures["retry"]?.count(of: .succeeded) == 1)
            #expect(measures["revoked"]?.count(of: .revoked) == 1)
            #expect(measures["revoked"]?.runtime.snapshot.counts.reduce(0, +) == 0)
        }
    }

    /// A task for later has waited since its time, not since it was published.
    @Test func tasksForLaterAreLateFromTheirTimeOn() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.worker.measureTasks(limit: 500)
            var options = TaskOptions(eta: Date().addingTimeInterval(-10))
            options.properties.timestamp = UInt64(Date().timeIntervalSince1970) - 5_000
            _ = try await harness.result(of: harness.send("add", [1], options: options))
            let add = try #require(harness.worker.taskMeasures.first { $0.name == "add" })
            #expect((9.0...1_000).contains(add.latency.snapshot.sum))
            #expect(add.wait.snapshot.counts.reduce(0, +) == 0)
        }
    }

    @Test func beyondTheLimitTasksCountTogether() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.worker.measureTasks(limit: 1)
            _ = try await harness.result(of: harness.send("add", [1]))
            _ = try await harness.result(of: harness.send("fail", [1]))
            #expect(harness.worker.taskMeasures.map(\.name) == ["add", "(other)"])
            #expect(harness.worker.taskMeasures.last?.count(of: .failed) == 1)
        }
    }

    /// What a task costs that is measured: the calls of one run, again and again.
    @Test func measuringIsCheap() async throws {
        let measure = TaskMeasure(name: "add")
        let count = 100_000
        let began = ContinuousClock.now
        for _ in 0..<count {
            measure.note(.succeeded)
            measure.ended(after: .microseconds(300))
        }
        let each = began.duration(to: .now) / count
        #expect(measure.count(of: .succeeded) == count)
        // Built for debugging, under load; some 50 ns otherwise.
        #expect(each < .microseconds(200), "\(each) for each task")
    }

    // MARK: Health

    @Test func aWorkerTellsOfItsQueuesAndItsBroker() async throws {
        let gate = TestGate()
        try await WorkerHarness.run { registry in
            registry.register("wait", arguments: "x") { (x: Int) -> Int in
                await gate.wait()
                return x
            }
        } _: { harness in
            try await eventually("ready") { harness.worker.health.isReady }
            #expect(harness.worker.health.queues.map(\.name) == ["celery"])
            #expect(harness.worker.health.queues.map(\.credit) == [8])
            try harness.send("wait", [1])
            try harness.send("wait", [1], options: TaskOptions(countdown: .seconds(600)))
            try await eventually("one runs, one waits") {
                harness.worker.levels.busySlots == 1 && harness.worker.levels.heldForTime == 1
            }
            #expect(harness.worker.levels.slots == 2)
            harness.broker.refusesConnections = true
            harness.broker.failConnections()
            try await eventually("not connected") {
                harness.worker.health.obstacle == "not connected to the broker"
            }
            #expect(harness.worker.health.queues.map(\.isConsumed) == [false])
            #expect(harness.worker.health.hasStarted)
            harness.broker.refusesConnections = false
            try await eventually("ready again") { harness.worker.health.isReady }
            gate.open()
        }
    }

    @Test func headersThatARunCarriesGoOverThePipe() throws {
        let frame = ChildFrame.question(run: 3, number: 4, .carry(["traceparent": "00-1-2-01", "b": "ü"]))
        var buffer = FrameBuffer(maxPayload: 1 << 20)
        buffer.append(frame.encoded()[...])
        let found = try #require(try buffer.next())
        guard case .question(run: 3, number: 4, .carry(let headers)) = try ChildFrame(found) else {
            Issue.record("another frame")
            return
        }
        #expect(headers == ["traceparent": "00-1-2-01", "b": "ü"])
    }

    private static func register(_ registry: inout TaskRegistry) {
        registry.register("add", arguments: "x") { (x: Int) in x + 1 }
        registry.register("fail", arguments: "x") { (x: Int) -> Int in throw TaskError(type: "ValueError", "bad") }
        registry.register("retry", arguments: "x") { (context: TaskContext, x: Int) -> Int in
            if context.retries == 0 { throw context.retry(after: .zero) }
            return x
        }
        registry.register("revoked", arguments: "x") { (x: Int) in x }
    }
}
