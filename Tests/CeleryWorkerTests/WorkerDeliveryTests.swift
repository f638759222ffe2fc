import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Synchronization
import Testing

@Suite("Worker: deliveries")
struct WorkerDeliveryTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("proj.fail") { (context: TaskContext) -> Int in throw TaskError(type: "ValueError", "x") }
    }

    private func headers(_ more: FieldTable = [:]) -> FieldTable {
        var headers: FieldTable = ["task": "proj.add", "id": "the-id"]
        for field in more { headers[field.name] = field.value }
        return headers
    }

    private static let goodBody = Array(#"[[1, 2], {}, {}]"#.utf8)

    @Test("holds a task until its time, and runs others meanwhile")
    func eta() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let start = ContinuousClock.now
            let soon = try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(1)))
            let late = try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(600)))
            let now = try harness.send("proj.add", [2, 2])
            _ = try await harness.result(of: now)
            #expect(try harness.results(of: late).isEmpty)

            _ = try await harness.result(of: soon)
            #expect(ContinuousClock.now - start >= .seconds(1))
            try await eventually("only the task for later is held") { harness.broker.unackedCount(of: "celery") == 1 }
            #expect(try harness.results(of: late).isEmpty)
        }
    }

    @Test("tasks for later do not use up the credit of those for now")
    func credit() async throws {
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 4)
        try await WorkerHarness.run(configuration, register: Self.register) { harness in
            for _ in 0..<50 { try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(600))) }
            let now = try harness.send("proj.add", [2, 2])
            let result = try await harness.result(of: now)

            #expect(result.result == 4)
            #expect(harness.worker.statistics.rotatedConsumers >= 10)
            try await eventually("one consumer is left") { harness.broker.consumerCount(of: "celery") == 1 }
            #expect(harness.broker.unackedCount(of: "celery") == 50)
        }
    }

    @Test("parks no more consumers' credit than the limit of tasks for later allows")
    func etaLimit() async throws {
        var celery = CeleryConfiguration()
        celery.workerETATaskLimit = 6
        let configuration = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 4)
        let broker = InMemoryBroker()
        broker.protectedNames = Set((0..<28).map { "celery_delayed_\($0)" })
        try await WorkerHarness.run(configuration, celery: celery, broker: broker, register: Self.register) { harness in
            for _ in 0..<50 { try harness.send("proj.add", [1, 1], options: TaskOptions(countdown: .seconds(600))) }
            try await eventually("the limit") { harness.broker.unackedCount(of: "celery") > 6 }
            try await Task.sleep(for: .milliseconds(50))
            #expect(harness.broker.unackedCount(of: "celery") <= 6 + 2 * 4)
        }
        #expect(broker.messages(in: "celery").count == 50, "all of them go back")
    }

    @Test("discards a task whose expiry has passed")
    func expires() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let past = WireDate(Date().addingTimeInterval(-5)).text
            try harness.publish(headers: headers(["expires": .string(past)]), body: Self.goodBody)
            let result = try await harness.result(of: "the-id")

            #expect(result.state == .revoked)
            #expect(result.exception?.type == "TaskRevokedError")
            #expect(result.exception?.arguments == ["expired"])
            #expect(result.dateDone != nil)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.expired == 1)
            #expect(harness.worker.statistics.started == 0)
        }
    }

    @Test("an unknown task fails its caller and its chain, and is rejected")
    func unknown() async throws {
        let broker = InMemoryBroker()
        Self.declareDeadLetters(broker)
        try await WorkerHarness.run(celery: Self.deadLettering, broker: broker, register: Self.register) { harness in
            let steps = [Signature("proj.nowhere"), Signature("proj.add", args: [1])]
            let last = try harness.send(Chain(steps).signature)
            let result = try await harness.result(of: last)

            #expect(result.exception?.type == "NotRegistered")
            #expect(result.exception?.module == "celery.exceptions")
            #expect(result.exception?.arguments == ["proj.nowhere"])
            #expect(result.traceback == nil)
            try await eventually("the dead letter") { harness.broker.messages(in: "dead").count == 1 }
            #expect(harness.logs.lines.contains { $0.message.contains("unregistered task of type 'proj.nowhere'") })
            let good = try harness.send("proj.add", [1, 2])
            #expect(try await harness.result(of: good).result == 3)
        }
    }

    struct Malformed: Sendable, CustomTestStringConvertible {
        let name: String
        var headers: FieldTable? = ["task": "proj.add", "id": "the-id"]
        var body = WorkerDeliveryTests.goodBody
        var contentType: String? = "application/json"
        var exception = "DecodeError"
        var hasID = true
        var testDescription: String { name }
    }

    static let malformed: [Malformed] = [
        Malformed(name: "truncated JSON", body: Array(#"[[1, 2], {"#.utf8)),
        Malformed(name: "not a triple", body: Array("[[1, 2], {}]".utf8), exception: "InvalidTaskError"),
        Malformed(name: "a scalar", body: Array("7".utf8), exception: "InvalidTaskError"),
        Malformed(name: "zero-length body", body: []),
        Malformed(name: "200 levels", body: Array(("[[" + String(repeating: "[", count: 200)).utf8)),
        Malformed(name: "invalid UTF-8", body: Array(#"[["#.utf8) + [0x22, 0xff, 0x22] + Array("], {}, {}]".utf8)),
        Malformed(name: "a body of 16 MiB", body: Array(repeating: 0x20, count: 16 << 20)),
        Malformed(name: "pickle", contentType: "application/x-python-serialize", exception: "ContentDisallowed"),
        Malformed(name: "an unknown content type", contentType: "text/x-strange", exception: "ContentDisallowed"),
        Malformed(name: "no content type", contentType: nil),
        Malformed(name: "kwargs that are no map", body: Array("[[], [], {}]".utf8), exception: "InvalidTaskError"),
        Malformed(
            name: "an unknown extended type",
            body: Array(#"[[{"__type__": "x", "__value__": 1}], {}, {}]"#.utf8)
        ),
        Malformed(name: "no header id", headers: ["task": "proj.add"], exception: "InvalidTaskError", hasID: false),
        Malformed(name: "no header task", headers: ["id": "the-id"], exception: "InvalidTaskError"),
        Malformed(
            name: "a header of a wrong type",
            headers: ["task": "proj.add", "id": "the-id", "retries": "many"],
            exception: "InvalidTaskError"
        ),
        Malformed(
            name: "an eta that is no time",
            headers: ["task": "proj.add", "id": "the-id", "eta": "tomorrow"],
            exception: "InvalidTaskError"
        ),
        Malformed(
            name: "an unknown compression",
            headers: ["task": "proj.add", "id": "the-id", "compression": "application/x-strange"]
        ),
    ]

    @Test("a message that cannot be run is refused, never lost, and the worker goes on", arguments: malformed)
    func malformedMessage(_ message: Malformed) async throws {
        let broker = InMemoryBroker()
        Self.declareDeadLetters(broker)
        try await WorkerHarness.run(celery: Self.deadLettering, broker: broker, register: Self.register) { harness in
            try harness.publish(headers: message.headers, body: message.body, contentType: message.contentType)
            try await eventually("the dead letter") { harness.broker.messages(in: "dead").count == 1 }
            try await harness.queueIsEmpty()
            if message.hasID {
                let result = try await harness.result(of: "the-id")
                #expect(result.state == .failure)
                #expect(result.exception?.type == message.exception)
            }
            #expect(
                harness.logs.lines.contains { $0.level == "error" && $0.message.hasPrefix("Received invalid task") }
            )
            #expect(harness.worker.statistics.rejected == 1)
            let good = try harness.send("proj.add", [1, 2])
            #expect(try await harness.result(of: good).result == 3)
        }
    }

    @Test("acknowledges at the start, or late after the result")
    func acknowledgement() async throws {
        let gate = TestGate()
        try await WorkerHarness.run { tasks in
            tasks.register("proj.early") { (context: TaskContext) in await gate.wait() }
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) in await gate.wait() }
        } _: { harness in
            let early = try harness.send("proj.early")
            try await eventually("the early one has started") { harness.worker.statistics.started == 1 }
            try await harness.queueIsEmpty()
            let late = try harness.send("proj.late")
            try await eventually("the late one has started") { harness.worker.statistics.started == 2 }
            #expect(harness.broker.unackedCount(of: "celery") == 1)
            harness.broker.holdsConfirms = true
            gate.open()
            _ = try await harness.result(of: late)
            _ = try await harness.result(of: early)
            #expect(harness.broker.unackedCount(of: "celery") == 1, "the result is not confirmed yet")
            harness.broker.holdsConfirms = false
            try await harness.queueIsEmpty()
        }
    }

    @Test("a late task that fails is acknowledged, unless the settings say otherwise")
    func acksOnFailure() async throws {
        let broker = InMemoryBroker()
        Self.declareDeadLetters(broker)
        try await WorkerHarness.run(celery: Self.deadLettering, broker: broker) { tasks in
            tasks.register("proj.keep", options: .init(acks: .late)) { (context: TaskContext) -> Int in
                throw TaskError(type: "ValueError", "x")
            }
            tasks.register("proj.dead", options: .init(acks: .late, acksOnFailure: false)) {
                (context: TaskContext) -> Int in throw TaskError(type: "ValueError", "x")
            }
        } _: { harness in
            _ = try await harness.result(of: harness.send("proj.keep"))
            try await harness.queueIsEmpty()
            #expect(harness.broker.messages(in: "dead").isEmpty)
            _ = try await harness.result(of: harness.send("proj.dead"))
            try await eventually("the dead letter") { harness.broker.messages(in: "dead").count == 1 }
        }
    }

    @Test("a result for a reply queue that is gone is counted; the task stays done")
    func vanishedReplyQueue() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.late", options: .init(acks: .late)) { (context: TaskContext) -> Int in 1 }
        } _: { harness in
            try harness.publish(
                headers: ["task": "proj.late", "id": "the-id"],
                body: Array("[[], {}, {}]".utf8),
                replyTo: "vanished"
            )
            try await eventually("the count") { harness.worker.statistics.unroutableResults == 1 }
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.succeeded == 1)
        }
    }

    @Test("consumes from several queues, the missing ones declared")
    func queues() async throws {
        let configuration = WorkerConfiguration(queues: ["celery", "low"], concurrency: 2)
        try await WorkerHarness.run(configuration, register: Self.register) { harness in
            let one = try harness.send("proj.add", [1, 1])
            let other = try harness.send("proj.add", [2, 2], options: TaskOptions(queue: "low"))

            #expect(try await harness.result(of: one).result == 2)
            #expect(try await harness.result(of: other).result == 4)
            #expect(harness.broker.consumerCount(of: "low") == 1)
        }
    }

    @Test("long tasks reach every slot, also right after a flood of brief ones")
    func briefThenLong() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 8)) { tasks in
            tasks.register("proj.block") { (context: TaskContext) in gate.block() }
            tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        } _: { harness in
            let brief = try (0..<300).map { try harness.send("proj.add", [.int($0), 1]) }
            for id in brief { _ = try await harness.result(of: id) }
            for _ in 0..<8 { try harness.send("proj.block") }
            try await eventually("all eight are running") { harness.worker.statistics.started == 308 }
            gate.open()
            try await eventually("all are done") { harness.worker.statistics.succeeded == 308 }
        }
    }

    @Test("tasks that block their threads hold up neither each other nor the worker")
    func blocking() async throws {
        let gate = TestGate()
        try await WorkerHarness.run(WorkerConfiguration(concurrency: 8)) { tasks in
            tasks.register("proj.block") { (context: TaskContext) in gate.block() }
            tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        } _: { harness in
            let blocked = try (0..<7).map { _ in try harness.send("proj.block") }
            try await eventually("seven are running") { harness.worker.statistics.started == 7 }
            for number in 0..<20 {
                let id = try harness.send("proj.add", [.int(number), 1])
                #expect(try await harness.result(of: id).result == .int(number + 1))
            }
            gate.open()
            for id in blocked { #expect(try await harness.result(of: id).state == .success) }
        }
    }
}

extension WorkerDeliveryTests {
    /// Settings with a default queue that sends what is rejected to the queue `dead`.
    static var deadLettering: CeleryConfiguration {
        var celery = CeleryConfiguration()
        celery.taskQueues = [
            Queue("celery", arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"])
        ]
        return celery
    }

    static func declareDeadLetters(_ broker: InMemoryBroker) {
        broker.declareQueue(QueueDeclaration(name: "dead"))
    }
}
