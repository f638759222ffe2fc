import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Logging
import Testing

@Suite("Worker: tasks for later and the consumer timeout")
struct WorkerParkingTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
    }

    /// Settings with a consumer timeout so short that a test can wait for it.
    private static func impatient(_ timeout: Duration = .seconds(1)) -> CeleryConfiguration {
        var celery = CeleryConfiguration()
        celery.workerConsumerTimeout = timeout
        return celery
    }

    @Test("what expires while it waits is discarded at that time, not at its own")
    func expiresWhileHeld() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            var options = TaskOptions(countdown: .seconds(600))
            options.expires = .after(.seconds(1))
            let sent = ContinuousClock.now
            let id = try harness.send("proj.add", [1, 2], options: options)
            let result = try await harness.result(of: id)
            #expect(result.state == .revoked)
            // Dates and clocks do not tick alike to the millisecond.
            #expect(ContinuousClock.now - sent > .milliseconds(900))
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.expired == 1)
        }
    }

    @Test("every kind of message waits without loss: properties, headers, arguments")
    func packedMessage() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.context", arguments: "x") { (context: TaskContext, x: String) in
                [
                    x, context.customHeaders["mine"]?.stringValue ?? "", context.correlationID ?? "",
                    "\(context.retries)",
                ]
            }
        } _: { harness in
            let eta = WireDate(Date().addingTimeInterval(0.3)).text
            try harness.publish(
                headers: [
                    "task": "proj.context", "id": "the-id", "eta": .string(eta), "retries": 2, "mine": "yes",
                ],
                body: Array(#"[["äöü"], {}, {}]"#.utf8),
                correlationID: "other"
            )
            let result = try await harness.result(of: "the-id")
            #expect(result.result == ["äöü", "yes", "other", "2"])
        }
    }

    @Test("what waits for longer than the broker does goes back before that, and comes again")
    func handedBack() async throws {
        var celery = Self.impatient()
        // A queue that goes with its consumers has no way through the delay ladder.
        celery.taskQueues = [Queue("celery", autoDelete: true)]
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            let id = try harness.send("proj.add", [1, 2], options: TaskOptions(countdown: .seconds(600)))
            try await eventually("it went back twice") { harness.worker.statistics.handedBack >= 2 }
            try await eventually("it is held again") { harness.broker.unackedCount(of: "celery") == 1 }
            #expect(harness.worker.statistics.received >= 2)
            #expect(try harness.results(of: id).isEmpty)
            #expect(harness.worker.statistics.handedOver == 0)
        }
    }

    @Test("what went back while it waited runs at its time, once, and tells that it was delivered before")
    func handedBackAndRun() async throws {
        var celery = Self.impatient()
        celery.taskQueues = [Queue("celery", autoDelete: true)]
        try await WorkerHarness.run(celery: celery) { tasks in
            tasks.register("proj.later") { (context: TaskContext) in
                [.double(Date().timeIntervalSince1970), .bool(context.deliveryInfo.redelivered)] as [JSONValue]
            }
        } _: { harness in
            var runs = 0
            // On a machine that is too busy to fetch the task before its time, one for later goes back all the same.
            for countdown in [4, 8, 16, 32] where harness.worker.statistics.handedBack == 0 {
                runs += 1
                let sent = Date().timeIntervalSince1970
                let id = try harness.send("proj.later", options: TaskOptions(countdown: .seconds(countdown)))
                let result = try #require(try await harness.result(of: id).result.arrayValue)
                #expect(try #require(result.first?.doubleValue) >= sent + Double(countdown) - 0.001)
                #expect(result.last == .bool(harness.worker.statistics.handedBack > 0))
            }
            #expect(harness.worker.statistics.handedBack >= 1)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == runs)
        }
    }

    @Test("what waits behind a long task goes back before the broker would close the channel")
    func prefetched() async throws {
        let gate = TestGate()
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 4)
        try await WorkerHarness.run(configuration, celery: Self.impatient()) { tasks in
            Self.register(&tasks)
            tasks.register("proj.wait") { (context: TaskContext) in await gate.wait() }
        } _: { harness in
            let wait = try harness.send("proj.wait")
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            let ids = try (0..<3).map { try harness.send("proj.add", [.int($0), 1]) }
            try await eventually("they went back") { harness.worker.statistics.handedBack >= 3 }
            gate.open()
            #expect(try await harness.result(of: wait).state == .success)
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 4)
        }
    }

    @Test("a copy that is held for long goes back, too, and is held again")
    func heldCopy() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(celery: Self.impatient()) { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) in await gate.wait() }
        } _: { harness in
            try harness.send("proj.late")
            try await eventually("it is running") { harness.worker.statistics.started == 1 }
            harness.broker.failConnections()
            try await eventually("its copy is held again") { harness.worker.statistics.heldDuplicates >= 2 }
            gate.open()
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 1)
        }
    }

    @Test("a late task that runs for too long is warned of once, and one that may at the start")
    func overdue() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(celery: Self.impatient(.milliseconds(500))) { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) in await gate.wait() }
            tasks.register("proj.limited", options: .init(acks: .late, timeLimit: .seconds(60))) {
                (context: TaskContext) in 1
            }
            tasks.register("proj.early", options: .init(timeLimit: .seconds(60))) { (context: TaskContext) in 1 }
        } _: { harness in
            try harness.send("proj.late")
            try await eventually("the warning") { harness.worker.statistics.overdueRuns == 1 }
            try await Task.sleep(for: .milliseconds(200))
            gate.open()
            try await harness.queueIsEmpty()
            let warnings = harness.logs.lines.filter { $0.message.hasPrefix("A late-acknowledged task may run") }
            #expect(warnings.map { $0.metadata["task_name"]?.description } == ["proj.limited"])
            #expect(harness.worker.statistics.overdueRuns == 1)
            #expect(harness.logs.messages.filter { $0.contains("runs for so long") }.count == 1)
        }
    }

    @Test("a full heap is told once")
    func fullHeap() async throws {
        var celery = CeleryConfiguration()
        celery.workerETATaskLimit = 2
        let broker = InMemoryBroker()
        broker.protectedNames = Set((0..<28).map { "celery_delayed_\($0)" })
        try await WorkerHarness.run(celery: celery, broker: broker, register: Self.register) { harness in
            for _ in 0..<50 { try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(600))) }
            try await eventually("the line") { harness.logs.messages.contains { $0.contains("worker_eta_task_limit") } }
            try await Task.sleep(for: .milliseconds(30))
            #expect(harness.logs.messages.filter { $0.contains("worker_eta_task_limit") }.count == 1)
        }
    }

    @Test("a heap that was full lets its consumers fetch again as soon as it has room")
    func heapWithRoomAgain() async throws {
        var celery = CeleryConfiguration()
        celery.workerETATaskLimit = 10
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 2)
        let broker = InMemoryBroker()
        broker.protectedNames = Set((0..<28).map { "celery_delayed_\($0)" })
        try await WorkerHarness.run(configuration, celery: celery, broker: broker, register: Self.register) { harness in
            let near = TaskOptions(countdown: .seconds(2))
            let far = TaskOptions(countdown: .seconds(600))
            for _ in 0..<10 { try harness.send("proj.add", [1, 1], options: near) }
            // The consumer of the moment gets nothing but these, and would have to wait for them.
            for _ in 0..<8 { try harness.send("proj.add", [1, 1], options: far) }
            let now = try harness.send("proj.add", [2, 2])
            #expect(try await harness.result(of: now).result == 4)
            #expect(harness.broker.unackedCount(of: "celery") == 8)
        }
    }

    @Test("one line for many results whose reply queue is gone")
    func vanishedReplyQueue() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            for number in 0..<20 {
                try harness.publish(
                    headers: ["task": "proj.add", "id": .string("id-\(number)")],
                    body: Array("[[1, 2], {}, {}]".utf8),
                    replyTo: "vanished"
                )
            }
            try await eventually("the count") { harness.worker.statistics.unroutableResults == 20 }
            #expect(harness.logs.messages.filter { $0.contains("its reply queue does not exist") }.count == 1)
        }
    }
}
