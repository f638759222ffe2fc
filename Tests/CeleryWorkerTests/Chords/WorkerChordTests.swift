import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Testing

@testable import CeleryWorker

@Suite("Worker: the collector of chords")
struct WorkerChordTests {
    private static let queue = "swcelery.chord.0"

    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("proj.quiet", arguments: "x", options: .init(ignoreResult: true)) { (x: Int) in x }
        tasks.register("proj.sum", arguments: "numbers") { (numbers: [Int?]) in numbers.compactMap(\.self).reduce(0, +)
        }
        tasks.register("proj.fail") { (context: TaskContext) -> Int in throw TaskError(type: "ValueError", "x") }
    }

    private static func body(_ id: String, task: String = "proj.sum") -> JSONValue {
        [
            "task": .string(task), "args": [], "kwargs": [:], "subtask_type": nil, "immutable": false,
            "options": ["task_id": .string(id), "reply_to": .string(WorkerHarness.replies)],
        ]
    }

    private static func manifest(
        _ ids: [String],
        body: String = "body",
        policy: GroupFailurePolicy = .fail,
        deadline: Date? = nil
    ) -> ChordManifest {
        ChordManifest(
            groupID: "group-\(body)",
            members: ids.map { ChordManifest.Member(id: $0, replyTo: WorkerHarness.replies) },
            body: Self.body(body),
            policy: policy,
            deadline: deadline.map { WireDate($0) }
        )
    }

    private static func announce(_ manifest: ChordManifest, _ harness: WorkerHarness) throws {
        let message = ChordCollector(CeleryConfiguration()).announcement(of: manifest)
        if let queue = message.queue { harness.broker.declareQueue(queue.declaration) }
        try harness.broker.publish(message.message)
    }

    private static func report(_ result: ResultMessage, _ harness: WorkerHarness) throws {
        try harness.broker.publish(
            OutgoingMessage(routingKey: queue, properties: result.properties(), body: result.encoded())
        )
    }

    private static func succeed(_ id: String, _ value: JSONValue, _ harness: WorkerHarness) throws {
        try report(ResultMessage(taskID: id, state: .success, result: value), harness)
    }

    @Test("collects the results of members that run anywhere, passes them on, and sends the body with them, in order")
    func collects() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try Self.announce(Self.manifest(["a", "b", "c"]), harness)
            try Self.succeed("c", 30, harness)
            try Self.report(ResultMessage(taskID: "a", state: .started, result: ["pid": 1]), harness)
            try Self.succeed("a", 1, harness)
            try Self.succeed("b", 2, harness)

            #expect(try await harness.result(of: "body").result == 33)
            try await harness.queueIsEmpty(Self.queue)
            for (id, value) in [("a", 1), ("b", 2), ("c", 30)] as [(String, JSONValue)] {
                #expect(try harness.results(of: id).last?.result == value)
            }
            #expect(try harness.results(of: "a").map(\.state) == [.started, .success])
            #expect(harness.worker.statistics.completedChords == 1)
            #expect(harness.worker.statistics.chordResults == 4)
            #expect(harness.logs.messages.contains("Chord complete"))
        }
    }

    @Test("a failed chord's body fails with Celery's ChordError")
    func fails() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try Self.announce(Self.manifest(["a", "b"]), harness)
            try Self.succeed("b", 1, harness)
            let error = ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["no"])
            try Self.report(ResultMessage(taskID: "a", state: .failure, result: error.json), harness)

            let result = try await harness.result(of: "body")
            #expect(result.state == .failure)
            #expect(result.exception?.type == "ChordError")
            #expect(result.exception?.message == "Dependency a raised ValueError('no')")
            try await harness.queueIsEmpty(Self.queue)
            #expect(harness.worker.statistics.failedChords == 1)
        }
    }

    @Test("a chord that is sent runs: group, body, and the results of tasks that ignore theirs")
    func runs() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let header: JSONValue = .array(
                [Signature("proj.add", args: [1, 2]), Signature("proj.quiet", args: [10])].map(\.json)
            )
            let chord = try Signature(
                decoding: [
                    "task": "celery.chord", "args": [], "subtask_type": "chord", "immutable": false, "options": [:],
                    "kwargs": ["header": header, "body": Signature("proj.sum").json, "kwargs": [:]],
                ]
            )
            let id = try harness.send(chord)
            #expect(try await harness.result(of: id).result == 13)
            try await harness.queueIsEmpty(Self.queue)
        }
    }

    @Test("a result of a chord's member is persistent, and sent though the task ignores its result")
    func reports() async throws {
        var celery = CeleryConfiguration()
        celery.workerCollectsChords = false
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            harness.broker.declareQueue(QueueDeclaration(name: Self.queue))
            var options = TaskOptions(ignoreResult: true)
            options.taskID = "quiet-1"
            let composition = try harness.composer.compose(
                Signature("proj.quiet", args: [7]),
                options: options,
                context: SendContext(replyTo: Self.queue)
            )
            for task in composition.tasks {
                var message = task.message
                // As a sender has it that does not know of the option.
                message.properties.replyTo = Self.queue
                try harness.broker.publish(message)
            }
            try await eventually("the result") { harness.broker.messages(in: Self.queue).count == 1 }
            let message = try #require(harness.broker.messages(in: Self.queue).first)
            #expect(message.properties.deliveryMode == 2)
            let result = try ResultMessage(decoding: message.body)
            #expect(result.taskID == "quiet-1")
            #expect(result.result == 7)
        }
    }

    @Test("a part of a chord of another backend is refused, and its caller told")
    func foreign() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            var options = TaskOptions()
            options.chord = Self.body("elsewhere")
            let id = try harness.send("proj.add", [1, 2], options: options)
            let result = try await harness.result(of: id)
            #expect(result.state == .failure)
            #expect(result.exception?.type == "ChordError")
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.rejected == 1)
            #expect(harness.worker.statistics.refusedChordMessages == 1)
        }
    }

    @Test("what cannot be read is refused, and stops nothing; a pickle counts as its task's failure")
    func refuses() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            var properties = BasicProperties()
            properties.type = ChordCollector.manifestType
            for text in ["", "{", "[]", #"{"version": 99}"#, #"{"version": 1, "group_id": "g", "members": []}"#] {
                try harness.broker.publish(
                    OutgoingMessage(routingKey: Self.queue, properties: properties, body: Array(text.utf8))
                )
            }
            properties.type = ChordMark.type
            try harness.broker.publish(OutgoingMessage(routingKey: Self.queue, properties: properties, body: [0xFF]))
            properties.type = nil
            properties.contentType = "application/json"
            try harness.broker.publish(OutgoingMessage(routingKey: Self.queue, properties: properties, body: [0x7B]))

            var manifest = Self.manifest(["a"])
            // Whoever waits for it would get the pickle as it is.
            manifest.members[0].replyTo = nil
            try Self.announce(manifest, harness)
            properties.contentType = "application/x-python-serialize"
            properties.correlationID = "a"
            let pickle: [UInt8] = [0x80, 4]
            try harness.broker.publish(OutgoingMessage(routingKey: Self.queue, properties: properties, body: pickle))
            let result = try await harness.result(of: "body")
            #expect(result.exception?.message.hasPrefix("Dependency a raised ContentDisallowed(") == true)
            try await harness.queueIsEmpty(Self.queue)
            #expect(harness.worker.statistics.refusedChordMessages == 7)

            try Self.announce(Self.manifest(["b"], body: "next"), harness)
            try Self.succeed("b", 4, harness)
            #expect(try await harness.result(of: "next").result == 4)
        }
    }

    @Test("a chord whose deadline has passed fails, naming who is missing; members that come later change nothing")
    func deadline() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try Self.announce(Self.manifest(["a", "b"], deadline: Date().addingTimeInterval(-1)), harness)
            try Self.succeed("a", 1, harness)
            let result = try await harness.result(of: "body")
            #expect(result.exception?.message == "The chord's deadline has passed without a result of b")
            try await harness.queueIsEmpty(Self.queue)
        }
    }

    @Test("a body that is too large to be sent makes the chord fail")
    func largeBody() async throws {
        var celery = CeleryConfiguration()
        celery.publishMaxBodySize = 2_000
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            try Self.announce(Self.manifest(["a"]), harness)
            try Self.succeed("a", .string(String(repeating: "x", count: 3_000)), harness)
            let result = try await harness.result(of: "body")
            #expect(result.exception?.type == "ChordError")
            #expect(result.exception?.message.contains("publish_max_body_size") == true)
            try await harness.queueIsEmpty(Self.queue)
        }
    }

    @Test("after a lost connection everything comes again, and the chord ends once more with the same id at the most")
    func connectionLost() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try Self.announce(Self.manifest(["a", "b"]), harness)
            try Self.succeed("a", 1, harness)
            try await eventually("the first result") { try !harness.results(of: "a").isEmpty }
            harness.broker.failConnections()
            try Self.succeed("b", 2, harness)
            #expect(try await harness.result(of: "body").result == 3)
            try await harness.queueIsEmpty(Self.queue)
        }
    }

    @Test("a worker that ends leaves the chord to the next one, and finishes what it has begun")
    func leaves() async throws {
        let broker = InMemoryBroker()
        try await WorkerHarness.run(broker: broker, register: Self.register) { harness in
            try Self.announce(Self.manifest(["a", "b"]), harness)
            try Self.succeed("a", 1, harness)
            try await eventually("the first result") { try !harness.results(of: "a").isEmpty }
            #expect(broker.unackedCount(of: Self.queue) == 2)
        }
        #expect(broker.unackedCount(of: Self.queue) == 0)
        #expect(broker.messages(in: Self.queue).count == 2)
        try await WorkerHarness.run(broker: broker, register: Self.register) { harness in
            try Self.succeed("b", 2, harness)
            #expect(try await harness.result(of: "body").result == 3)
            try await harness.queueIsEmpty(Self.queue)
        }
    }

    @Test("of two workers one collects; the other takes over")
    func takesOver() async throws {
        let broker = InMemoryBroker()
        try await WorkerHarness.run(broker: broker, register: Self.register) { second in
            try await WorkerHarness.run(broker: broker, register: Self.register) { first in
                try await eventually("two consumers") { broker.consumerCount(of: Self.queue) == 2 }
                try Self.announce(Self.manifest(["a", "b"]), first)
                try Self.succeed("a", 1, first)
                try await eventually("the first result") { try !first.results(of: "a").isEmpty }
                broker.failConsumingChannels(of: Self.queue)
                try Self.succeed("b", 2, first)
                #expect(try await first.result(of: "body").result == 3)
            }
            try await second.queueIsEmpty(Self.queue)
        }
    }

    @Test("what is held goes back before the broker's consumer timeout")
    func consumerTimeout() async throws {
        var celery = CeleryConfiguration()
        celery.workerConsumerTimeout = .seconds(3)
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            try Self.announce(Self.manifest(["a", "b"]), harness)
            try Self.succeed("a", 1, harness)
            try await eventually("the results go back") {
                harness.logs.messages.contains { $0.hasPrefix("Handing the results of chords back") }
            }
            try await eventually("they come again") { try harness.results(of: "a").count > 1 }
            try Self.succeed("b", 2, harness)
            #expect(try await harness.result(of: "body").result == 3)
            try await harness.queueIsEmpty(Self.queue)
        }
    }

    @Test("a step of a member's chain that is revoked tells the collector, though the member never runs")
    func revokedStep() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            try Self.announce(Self.manifest(["last"]), harness)
            let past = WireDate(Date().addingTimeInterval(-10)).text
            let step: JSONValue = [
                "task": "proj.add", "args": [1], "kwargs": [:], "subtask_type": nil, "immutable": false,
                "options": ["task_id": "last", "reply_to": .string(Self.queue)],
            ]
            let body: JSONValue = [[1, 2], [:], ["chain": [step]]]
            try harness.publish(
                headers: ["task": "proj.add", "id": "first", "expires": .string(past)],
                body: body.serialized()
            )
            #expect(try await harness.result(of: "first").state == .revoked)
            let result = try await harness.result(of: "body")
            #expect(result.exception?.message.hasPrefix("Dependency last raised TaskRevokedError(") == true)
            try await harness.queueIsEmpty(Self.queue)
        }
    }
}
