import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Logging
import Testing

@Suite("Worker: revokes")
struct WorkerRevokeTests {
    private static let oneSlot = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 8)

    private static func register(_ tasks: inout TaskRegistry, _ gate: TestGate) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("proj.wait") { (context: TaskContext) in await gate.wait() }
        tasks.register("proj.sleep") { (context: TaskContext) in try await Task.sleep(for: .seconds(3600)) }
        tasks.register("proj.silent", options: .init(ignoreResult: true)) { (context: TaskContext) in 1 }
        tasks.register(
            "proj.told",
            options: .init(ignoreResult: true, storeErrorsEvenIfIgnored: true)
        ) { (context: TaskContext) in 1 }
        let limit = RateLimit.perSecond(1.0 / 3600)
        tasks.register("proj.limited", options: .init(rateLimit: limit)) { (context: TaskContext) in 1 }
    }

    private static func run(
        _ configuration: WorkerConfiguration = oneSlot,
        celery: CeleryConfiguration = CeleryConfiguration(),
        _ body: (WorkerHarness, TestGate) async throws -> Void
    ) async throws {
        let gate = TestGate()
        defer { gate.open() }
        try await WorkerHarness.run(configuration, celery: celery) {
            register(&$0, gate)
        } _: { harness in
            try await body(harness, gate)
            gate.open()
        }
    }

    private static func expectRevoked(_ result: ResultMessage, _ reason: JSONValue = "revoked") {
        #expect(result.state == .revoked)
        #expect(result.result["exc_type"] == "TaskRevokedError")
        #expect(result.result["exc_message"] == [reason])
    }

    @Test("a task that comes after its revoke does not run; its caller is told, its message gone")
    func beforeDelivery() async throws {
        try await Self.run { harness, _ in
            harness.worker.revoke(["the-id", "another"])
            #expect(harness.worker.revokedIDs == ["the-id", "another"])
            try harness.send("proj.add", [1, 2], options: TaskOptions(taskID: "the-id"))
            Self.expectRevoked(try await harness.result(of: "the-id"))
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 0)
            #expect(harness.worker.statistics.revoked == 1)
            #expect(harness.logs.messages.contains("Discarding revoked task: proj.add[the-id]"))
            #expect(harness.logs.messages.contains("Tasks flagged as revoked: the-id, another"))
        }
    }

    @Test("an expiry comes before a revoke")
    func expiredAndRevoked() async throws {
        try await Self.run { harness, _ in
            harness.worker.revoke(["the-id"])
            let expires = WireDate(Date().addingTimeInterval(-60)).text
            try harness.publish(
                headers: ["task": "proj.add", "id": "the-id", "expires": .string(expires)],
                body: Array("[[1, 2], {}, {}]".utf8)
            )
            Self.expectRevoked(try await harness.result(of: "the-id"), "expired")
            #expect(harness.worker.statistics.expired == 1)
        }
    }

    @Test("a task that waits for a slot is discarded at once")
    func inLine() async throws {
        try await Self.run { harness, gate in
            let wait = try harness.send("proj.wait")
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            let ids = try (0..<3).map { try harness.send("proj.add", [.int($0), 1]) }
            try await eventually("they wait") { harness.worker.statistics.received == 4 }
            harness.worker.revoke([ids[1], wait])
            Self.expectRevoked(try await harness.result(of: ids[1]))
            gate.open()
            for id in [ids[0], ids[2], wait] { #expect(try await harness.result(of: id).state == .success) }
            try await harness.queueIsEmpty()
        }
    }

    @Test("a task that waits for its time is discarded at once")
    func parked() async throws {
        try await Self.run { harness, _ in
            let ids = try (0..<10).map {
                try harness.send("proj.add", [.int($0), 1], options: TaskOptions(countdown: .seconds(600)))
            }
            try await eventually("they wait") { harness.worker.statistics.received == 10 }
            harness.worker.revoke(Array(ids[3...4]))
            for id in ids[3...4] { Self.expectRevoked(try await harness.result(of: id)) }
            try await eventually("the others wait on") { harness.broker.unackedCount(of: "celery") == 8 }
            #expect(harness.worker.statistics.revoked == 2)
        }
    }

    @Test("a task that waits for its type's rate is discarded at once")
    func rateLimited() async throws {
        try await Self.run { harness, _ in
            let ids = try (0..<4).map { _ in try harness.send("proj.limited") }
            try await eventually("they wait") { harness.worker.statistics.rateLimited == 3 }
            harness.worker.revoke([ids[2]])
            Self.expectRevoked(try await harness.result(of: ids[2]))
            try await eventually("the others wait on") { harness.broker.unackedCount(of: "celery") == 2 }
        }
    }

    @Test("a running task is ended where that is asked for, and not otherwise")
    func terminate() async throws {
        try await Self.run { harness, _ in
            let id = try harness.send("proj.sleep")
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            #expect(harness.worker.revoke([id]) == [])
            let add = try harness.send("proj.add", [1, 2])
            try await Task.sleep(for: .milliseconds(50))
            #expect(try harness.results(of: add).isEmpty)
            #expect(harness.worker.revoke([id, "elsewhere"], terminate: true) == [id])
            Self.expectRevoked(try await harness.result(of: id), "terminated")
            #expect(try await harness.result(of: add).result == 3)
            #expect(harness.logs.messages.contains("Terminating \(id) (SIGTERM)"))
            // What is not here yet is remembered.
            try harness.send("proj.add", [1, 2], options: TaskOptions(taskID: "elsewhere"))
            Self.expectRevoked(try await harness.result(of: "elsewhere"))
            try await harness.queueIsEmpty()
        }
    }

    @Test("stamps revoke what comes, what waits and what runs")
    func stamps() async throws {
        try await Self.run { harness, _ in
            func send(_ id: String, _ task: FieldValue, batch: FieldValue, eta: FieldValue? = nil) throws {
                var headers: FieldTable = ["task": task, "id": .string(id)]
                headers["stamped_headers"] = .array(["batch"])
                headers["stamps"] = .table(["batch": batch])
                headers["eta"] = eta
                let args = task == "proj.add" ? "[1, 2]" : "[]"
                try harness.publish(headers: headers, body: Array("[\(args), {}, {}]".utf8))
            }
            try send("running", "proj.sleep", batch: .array(["b0", "b1"]))
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            try send("waiting", "proj.add", batch: "b1")
            try send("other", "proj.add", batch: "b2")
            try send("later", "proj.add", batch: "b1", eta: .string(WireDate(Date().addingTimeInterval(0.5)).text))
            try await eventually("they wait") { harness.worker.statistics.received == 4 }
            #expect(harness.worker.revoke(stamps: ["batch": ["b1"]], terminate: true) == ["running"])
            Self.expectRevoked(try await harness.result(of: "running"), "terminated")
            Self.expectRevoked(try await harness.result(of: "waiting"))
            Self.expectRevoked(try await harness.result(of: "later"))
            #expect(try await harness.result(of: "other").result == 3)
            try send("next", "proj.add", batch: .array(["b0", "b1"]))
            Self.expectRevoked(try await harness.result(of: "next"))
            #expect(
                harness.logs.messages.contains(
                    "Discarding revoked task: proj.add[next] (revoked by header: {'batch': 'b1'})"
                )
            )
            try await harness.queueIsEmpty()
        }
    }

    @Test("nobody is told of a task whose result is ignored, unless its errors are wanted")
    func ignoredResult() async throws {
        try await Self.run { harness, _ in
            harness.worker.revoke(["silent", "told"])
            try harness.send("proj.silent", options: TaskOptions(taskID: "silent"))
            try harness.send("proj.told", options: TaskOptions(taskID: "told"))
            Self.expectRevoked(try await harness.result(of: "told"))
            try await harness.queueIsEmpty()
            #expect(try harness.results(of: "silent").isEmpty)
            #expect(harness.worker.statistics.revoked == 2)
        }
    }

    @Test("revokes outlive the worker in its state file")
    func stateFile() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "swcelery-\(UUID().uuidString).state").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        var celery = CeleryConfiguration()
        celery.workerStateDB = file
        try await Self.run(celery: celery) { harness, _ in harness.worker.revoke(["the-id"]) }
        try await Self.run(celery: celery) { harness, _ in
            #expect(harness.worker.revokedIDs == ["the-id"])
            try harness.send("proj.add", [1, 2], options: TaskOptions(taskID: "the-id"))
            Self.expectRevoked(try await harness.result(of: "the-id"))
        }
    }

    @Test("a revoked workflow: no further task of it starts, and those that run can be ended")
    func workflow() async throws {
        try await Self.run { harness, gate in
            let chain = Chain([Signature("proj.wait"), Signature("proj.add", args: [1, 2], immutable: true)])
            let last = try harness.send(chain.signature)
            try await eventually("the first step runs") { harness.worker.statistics.started == 1 }
            let root = try #require(harness.worker.runningTasks.first?.id)
            #expect(harness.worker.revoke(root: root) == [])
            #expect(harness.worker.revokedRoots == [root])
            let other = try harness.send("proj.add", [3, 4])
            let alone = try harness.send("proj.sleep", options: TaskOptions(rootID: root))
            gate.open()
            Self.expectRevoked(try await harness.result(of: last))
            Self.expectRevoked(try await harness.result(of: alone))
            #expect(try await harness.result(of: other).result == 7)
        }
    }

    @Test("the task that a revoked workflow began with counts as one of it, and so do those that run")
    func terminatedWorkflow() async throws {
        try await Self.run { harness, _ in
            let id = try harness.send("proj.sleep")
            let child = try harness.send("proj.sleep", options: TaskOptions(rootID: id))
            try await eventually("it runs") { harness.worker.statistics.started == 1 }
            #expect(harness.worker.revoke(root: id, terminate: true) == [id])
            Self.expectRevoked(try await harness.result(of: id), "terminated")
            Self.expectRevoked(try await harness.result(of: child))
            let text = "Discarding revoked task: proj.sleep[\(child)] (revoked with its workflow: \(id))"
            #expect(harness.logs.messages.contains(text))
        }
    }
}

@Suite("Worker: limits and order that change")
struct WorkerControlTests {
    @Test("time limits count for the runs that start after they were changed")
    func timeLimits() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.sleep", options: .init(timeLimit: .seconds(3600))) { (context: TaskContext) in
                try await Task.sleep(for: .seconds(3600))
            }
        } _: { harness in
            #expect(!harness.worker.setTimeLimits(hard: .seconds(1), soft: nil, for: "proj.unknown"))
            #expect(harness.worker.setTimeLimits(hard: .milliseconds(20), soft: nil, for: "proj.sleep"))
            let hard = try await harness.result(of: try harness.send("proj.sleep"))
            #expect(hard.result["exc_type"] == "TimeLimitExceeded")
            harness.worker.setTimeLimits(hard: nil, soft: .milliseconds(20), for: "proj.sleep")
            let soft = try await harness.result(of: try harness.send("proj.sleep"))
            #expect(soft.result["exc_type"] == "SoftTimeLimitExceeded")
            #expect(
                harness.logs.messages.contains("New time limits for tasks of type proj.sleep: soft=0.02 hard=None")
            )
        }
    }

    /// Sends to both queues while the only slot is busy, and answers in which order the tasks ran.
    private static func order(isStrict: Bool) async throws -> [String] {
        var celery = CeleryConfiguration()
        celery.workerStrictQueueOrder = isStrict
        celery.taskQueues = ["high", "low"]
        let gate = TestGate()
        let runs = LogRecorder()
        let logger = runs.logger()
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 20)
        try await WorkerHarness.run(configuration, celery: celery) { tasks in
            tasks.register("proj.wait") { (context: TaskContext) in await gate.wait() }
            tasks.register("proj.note", arguments: "text") { (text: String) in logger.info("\(text)") }
        } _: { harness in
            try harness.send("proj.wait", options: TaskOptions(queue: "low"))
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            var received = 1
            for (text, queue) in [("l1", "low"), ("l2", "low"), ("h1", "high"), ("l3", "low"), ("h2", "high")] {
                try harness.send("proj.note", [.string(text)], options: TaskOptions(queue: queue))
                received += 1
                try await eventually("it waits") { harness.worker.statistics.received == received }
            }
            // Once the dispatcher has done this it has handed on what came before.
            let last = try harness.send("proj.note", ["last"], options: TaskOptions(queue: "low"))
            try await eventually("it waits") { harness.worker.statistics.received == received + 1 }
            harness.worker.revoke([last])
            #expect(try await harness.result(of: last).state == .revoked)
            gate.open()
            try await eventually("all ran") { runs.messages.count == 5 }
        }
        return runs.messages
    }

    @Test("tasks of earlier queues start first where the order is strict")
    func strictOrder() async throws {
        #expect(try await Self.order(isStrict: true) == ["h1", "h2", "l1", "l2", "l3"])
        #expect(try await Self.order(isStrict: false) == ["l1", "l2", "h1", "l3", "h2"])
    }
}
