import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import Testing

@Suite("Worker: tasks that every worker has")
struct BuiltinTaskTests {
    private static let add = TaskName("proj.add", Int.self, Int.self, returning: Int.self)
    private static let double = TaskName("proj.double", Int.self, returning: Int.self)

    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register(add) { _, x, y in x + y }
        tasks.register(double) { _, x in
            if x < 0 { throw TaskError(type: "ValueError", "negative") }
            if x == 99 { throw Retry(after: .seconds(1)) }
            return x * 2
        }
    }

    private static func failure(_ harness: WorkerHarness, _ id: String) async throws -> ExceptionInfo {
        try ExceptionInfo(decoding: try await harness.result(of: id).result)
    }

    @Test("map and starmap run the inner task's body in the same run")
    func maps() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let map = try harness.send(Map(Self.double, [1, 2, 3]).signature)
            #expect(try await harness.result(of: map).result == [2, 4, 6])
            let starmap = try harness.send(Starmap(Self.add, [(1, 2), (3, 4)]).signature)
            #expect(try await harness.result(of: starmap).result == [3, 7])
            // By position, as Python's workers send it on, too.
            let args: [JSONValue] = [["task": "proj.double"], [5]]
            #expect(try await harness.result(of: harness.send("celery.map", args)).result == [10])
            #expect(harness.worker.statistics.succeeded == 3)
        }
    }

    @Test("a map fails as its inner task does, and where that is unknown or wrongly called")
    func failingMaps() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let inner = try harness.send(Map(Self.double, [1, -1]).signature)
            #expect(try await Self.failure(harness, inner).type == "ValueError")
            let retry = try harness.send(Map(Self.double, [99]).signature)
            #expect(try await Self.failure(harness, retry).message == "Task can be retried")
            let unknown = try harness.send(Map(Signature("proj.nowhere"), [1]).signature)
            #expect(try await Self.failure(harness, unknown).type == "NotRegistered")
            let wrong = try harness.send(Starmap(Signature("proj.add"), [[1]]).signature)
            #expect(try await Self.failure(harness, wrong).type == "TypeError")
            let flat = try harness.send("celery.starmap", [["task": "proj.add"], [1]])
            #expect(try await Self.failure(harness, flat).message.contains("not int"))
            let missing = try harness.send("celery.map", [["task": "proj.add"]])
            #expect(try await Self.failure(harness, missing).message.contains("missing 1 required"))
        }
    }

    @Test("chunks, group and chord send what they are given, as children")
    func legacy() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let calls: JSONValue = [[1, 1], [2, 2], [3, 3]]
            let chunks = try await harness.result(
                of: harness.send("celery.chunks", [["task": "proj.add"], calls, 2])
            )
            let group = try ResultTuple(decoding: chunks.result)
            #expect(group.members?.count == 2)
            #expect(chunks.children == [group.json])
            let members: JSONValue = [["task": "proj.double", "options": ["task_id": "one"]]]
            let result: JSONValue = [["gid", nil], [[["one", nil], nil]]]
            let kwargs: JSONObject = ["tasks": members, "result": result, "group_id": "gid", "partial_args": [4]]
            let sent = try await harness.result(of: harness.send("celery.group", kwargs: kwargs))
            #expect(sent.result == result)
            try await eventually("the group's task") { harness.worker.statistics.succeeded == 5 }
            let empty = try await Self.failure(harness, harness.send("celery.chunks", [["task": "proj.add"], [], 0]))
            #expect(empty.type == "ValueError")
        }
    }

    @Test("a chain is no task, and a chord of another backend is refused and kept")
    func refused() async throws {
        try await OutcomeHarness.run(register: Self.register) { harness in
            let chain = try await harness.settled("celery.chain", [])
            let exception = try await ExceptionInfo(decoding: harness.base.result(of: chain.id).result)
            #expect(exception.type == "NotImplementedError")
            #expect(exception.message == "chain is not a real task")
            let unlock = try await harness.settled("celery.chord_unlock", ["gid", ["task": "proj.add"]])
            #expect(unlock.settled == .rejected)
            #expect(harness.base.logs.messages.contains { $0.hasPrefix("Refused celery.chord_unlock: the chord gid") })
            #expect(harness.base.worker.statistics.rejected == 1)
        }
    }

    @Test("no application takes their names without being told")
    func names() throws {
        var registry = TaskRegistry()
        let own = [
            "accumulate", "backend_cleanup", "chain", "chord", "chord_unlock", "chunks", "group", "map", "starmap",
        ]
        #expect(registry.names == own.map { "celery.\($0)" })
        registry.register("celery.map") { (x: Int) in x }
        let error = #expect(throws: CeleryError.self) {
            _ = try Worker(
                broker: InMemoryBroker(),
                configuration: WorkerConfiguration(concurrency: 1),
                celery: CeleryConfiguration(),
                registry: registry,
                logger: LogRecorder().logger()
            )
        }
        #expect(error?.code == .invalidConfiguration)
    }
}
