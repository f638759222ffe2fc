import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import CeleryTestKit
import Logging
import Testing

@testable import CeleryWorker

@Suite("Worker: the collector of chords in trouble")
struct ChordRobustnessTests {
    private static let queue = "swcelery.chord.0"

    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.sum", arguments: "numbers") { (numbers: [Int]) in numbers.reduce(0, +) }
        tasks.register("proj.length", arguments: "texts") { (texts: [String]) in texts.reduce(0) { $0 + $1.utf8.count }
        }
        tasks.register("proj.note", arguments: "id") { (id: String) in id }
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
    }

    private static func manifest(
        _ members: [ChordManifest.Member],
        body: String = "body",
        task: String = "proj.sum",
        errbacks: [JSONValue] = []
    ) -> ChordManifest {
        let body: JSONValue = [
            "task": .string(task), "args": [], "kwargs": [:], "subtask_type": nil, "immutable": false,
            "options": [
                "task_id": .string(body), "reply_to": .string(WorkerHarness.replies), "link_error": .array(errbacks),
            ],
        ]
        return ChordManifest(groupID: "group-\(members[0].id)", members: members, body: body)
    }

    private static func announce(_ manifest: ChordManifest, _ broker: InMemoryBroker) throws {
        let message = ChordCollector(CeleryConfiguration()).announcement(of: manifest)
        if let queue = message.queue { broker.declareQueue(queue.declaration) }
        try broker.publish(message.message)
    }

    private static func report(_ result: ResultMessage, _ broker: InMemoryBroker) throws {
        try broker.publish(
            OutgoingMessage(routingKey: queue, properties: result.properties(), body: result.encoded())
        )
    }

    private static func succeed(_ id: String, _ value: JSONValue, _ broker: InMemoryBroker) throws {
        try report(ResultMessage(taskID: id, state: .success, result: value), broker)
    }

    @Test(
        "a queue that two workers could consume at a time, or that counts deliveries, is not served until it is put right",
        arguments: [[:], ["x-queue-type": "quorum", "x-single-active-consumer": true]] as [FieldTable]
    )
    func otherQueue(_ arguments: FieldTable) async throws {
        let broker = InMemoryBroker()
        broker.declareQueue(QueueDeclaration(name: Self.queue, arguments: arguments))
        try await WorkerHarness.run(broker: broker, register: Self.register) { harness in
            try await eventually("an error log") {
                harness.logs.lines.contains { line in
                    line.level == "error" && line.message.hasPrefix("Cannot consume")
                        && line.metadata["queue"] == .string(Self.queue)
                }
            }
            #expect(broker.consumerCount(of: Self.queue) == 0)
            let id = try harness.send("proj.add", [1, 2])
            #expect(try await harness.result(of: id).result == 3, "tasks run all the same")
            #expect(broker.consumerCount(of: Self.queue) == 0)
            broker.deleteQueue(Self.queue)
            try await eventually("a consumer") { broker.consumerCount(of: Self.queue) == 1 }
            try Self.announce(Self.manifest([.init(id: "a")]), broker)
            try Self.succeed("a", 4, broker)
            #expect(try await harness.result(of: "body").result == 4)
        }
    }

    @Test("a member whose caller is the collector itself goes round never")
    func ownQueue() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let own = ChordManifest.Member(id: "a", replyTo: Self.queue)
            try Self.announce(Self.manifest([own]), harness.broker)
            let addition = ChordAddition(groupID: "group-a", members: [.init(id: "x", replyTo: Self.queue)])
            try harness.broker.publish(addition.message(to: Self.queue))
            for id in ["a", "x"] {
                try Self.report(ResultMessage(taskID: id, state: .started, result: nil), harness.broker)
                try Self.succeed(id, 2, harness.broker)
            }
            #expect(try await harness.result(of: "body").result == 4)
            try await harness.queueIsEmpty(Self.queue)
            #expect(harness.worker.statistics.chordResults == 4)
            #expect(harness.worker.statistics.repeatedChordResults == 0)
        }
    }

    @Test("an errback that cannot be sent hides neither the failure nor the other errbacks")
    func brokenErrback() async throws {
        var celery = CeleryConfiguration()
        celery.taskCreateMissingQueues = false
        try await WorkerHarness.run(celery: celery, register: Self.register) { harness in
            func errback(_ options: JSONValue) -> JSONValue {
                [
                    "task": "proj.note", "args": [], "kwargs": [:], "subtask_type": nil, "immutable": false,
                    "options": options,
                ]
            }
            let replies = JSONValue.string(WorkerHarness.replies)
            let errbacks = [
                errback(["task_id": "bad", "reply_to": replies, "queue": "nowhere"]),
                errback(["task_id": "good", "reply_to": replies]),
            ]
            try Self.announce(Self.manifest([.init(id: "a")], errbacks: errbacks), harness.broker)
            let error = ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["no"])
            try Self.report(ResultMessage(taskID: "a", state: .failure, result: error.json), harness.broker)
            let result = try await harness.result(of: "body")
            #expect(result.exception?.message == "Dependency a raised ValueError('no')")
            #expect(try await harness.result(of: "good").result == "body")
            try await harness.queueIsEmpty(Self.queue)
            #expect(harness.worker.statistics.failedChords == 1)
            #expect(harness.logs.messages.contains("An errback of a failed chord cannot be sent"))
        }
    }

    @Test("of a queue that is too long a worker takes in no more than it may, and comes to the end all the same")
    func longQueue() async throws {
        var celery = CeleryConfiguration()
        celery.chordMaxBytes = 2_000
        let broker = InMemoryBroker()
        let text = String(repeating: "x", count: 1_000)
        for number in 0..<12 {
            let manifest = Self.manifest([.init(id: "a\(number)")], body: "body-\(number)", task: "proj.length")
            try Self.announce(manifest, broker)
            try Self.succeed("a\(number)", .string(text), broker)
        }
        try await WorkerHarness.run(celery: celery, broker: broker, register: Self.register) { harness in
            for number in 0..<12 { #expect(try await harness.result(of: "body-\(number)").result == 1_000) }
            try await harness.queueIsEmpty(Self.queue)
            #expect(harness.worker.statistics.completedChords == 12, "no body is sent twice")
            #expect(harness.worker.statistics.failedChords == 0)
            let told = harness.logs.lines.filter { $0.message.hasPrefix("More results of chords have come") }
            #expect(!told.isEmpty && told.allSatisfy { $0.level == "error" })
        }
    }

    @Test("the end of a worker waits for all collector queues within one limit")
    func finishes() async throws {
        var celery = CeleryConfiguration()
        celery.chordQueues = 64
        let parts = try WorkerParts(
            broker: InMemoryBroker(),
            configuration: WorkerConfiguration(concurrency: 1),
            celery: celery,
            registry: TaskRegistry(),
            logger: LogRecorder().logger()
        )
        let chords = try #require(parts.chords)
        // Not started: no queue ever tells that it is done.
        let began = ContinuousClock.now
        await chords.finish(limit: .seconds(1))
        #expect(.now - began < .seconds(45))
    }
}
