import Celery
import CeleryProtocol
import CeleryWorker
import Testing

@Suite("Worker: workflows that tasks send")
struct ContextCanvasTests {
    private static let add = TaskName("proj.add", Int.self, Int.self, returning: Int.self)

    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register(add) { _, x, y in x + y }
        tasks.register("proj.fan") { (context: TaskContext) -> String in
            try await context.send(Group([add(1, 1), add(2, 2)]), options: TaskOptions(taskID: "the-group"))
        }
        tasks.register("proj.chunks") { (context: TaskContext) -> String in
            try await context.send(Chunks(add, [(1, 1), (2, 2)], of: 1))
        }
        tasks.register("proj.map") { (context: TaskContext) -> Int in
            throw try await context.replace(with: Starmap(add, [(1, 2), (3, 4)]))
        }
    }

    @Test("a group is one child, with its members; they have the task as their parent")
    func group() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let id = try harness.send("proj.fan")
            let result = try await harness.result(of: id)
            #expect(result.result == "the-group")
            let children = try result.childResults()
            #expect(children.map(\.id) == ["the-group"])
            #expect(children.first?.members?.count == 2)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.succeeded == 3)
        }
    }

    @Test("chunks are a task of their own inside of tasks; a starmap can take a task's place")
    func maps() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            _ = try await harness.result(of: harness.send("proj.chunks"))
            try await eventually("all parts") { harness.worker.statistics.succeeded == 4 }
            #expect(try await harness.result(of: harness.send("proj.map")).result == [3, 7])
        }
    }
}
