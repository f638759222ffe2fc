import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Logging
import Synchronization
import Testing

@Suite("Worker: outcomes")
struct WorkerOutcomeTests {
    private static let add = TaskName("proj.add", Int.self, Int.self, returning: Int.self)

    @Test("answers a task with its result, in the properties and keys that Celery sends")
    func success() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register(Self.add) { _, x, y in x + y }
        } _: { harness in
            let id = try harness.send("proj.add", [2, 3])
            let result = try await harness.result(of: id)

            #expect(result.state == .success)
            #expect(result.result == 5)
            #expect(result.traceback == nil)
            #expect(result.children.isEmpty)
            #expect(result.dateDone?.hasSuffix("+00:00") == true)
            try await harness.queueIsEmpty()
            let message = try #require(harness.broker.messages(in: WorkerHarness.replies).first)
            #expect(message.properties.deliveryMode == 1)
            #expect(message.properties.priority == 0)
            #expect(message.properties.correlationID == id)
            #expect(message.properties.headers == [:])
            #expect(message.properties.contentType == "application/json")
            #expect(message.properties.contentEncoding == "utf-8")
            #expect(message.properties.expiration == nil)
            #expect(harness.logs.messages.contains("Task proj.add[\(id)] received"))
            let success = "Task proj.add[\(id)] succeeded in "
            #expect(harness.logs.messages.contains { $0.hasPrefix(success) && $0.hasSuffix("s: 5") })
        }
    }

    @Test("runs tasks by keyword, with defaults, with a struct, untyped, and without a result")
    func forms() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.mul", arguments: "x", Parameter("y", default: 2)) { (x: Int, y: Int) in x * y }
            tasks.register(Resize.self) { arguments, _ in "\(arguments.url)@\(arguments.width ?? 640)" }
            tasks.registerUntyped("proj.echo") { _, args, kwargs in [.array(args), .object(kwargs)] }
            tasks.register("proj.nothing") { (context: TaskContext) in _ = context.id }
        } _: { harness in
            let mul = try harness.send("proj.mul", kwargs: ["y": 5, "x": 4])
            let short = try harness.send("proj.mul", [4])
            let resize = try harness.send("proj.resize", kwargs: ["url": "a.png"])
            let echo = try harness.send("proj.echo", [1, "x"], kwargs: ["k": true])
            let nothing = try harness.send("proj.nothing")

            #expect(try await harness.result(of: mul).result == 20)
            #expect(try await harness.result(of: short).result == 8)
            #expect(try await harness.result(of: resize).result == "a.png@640")
            #expect(try await harness.result(of: echo).result == [[1, "x"], ["k": true]])
            #expect(try await harness.result(of: nothing).result == .null)
        }
    }

    @Test("reports an error as Celery shapes it")
    func failure() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.fail") { (context: TaskContext) -> Int in
                throw TaskError(type: "ValueError", arguments: ["bad", ["code": 7]])
            }
        } _: { harness in
            let id = try harness.send("proj.fail")
            let result = try await harness.result(of: id)

            #expect(result.state == .failure)
            let arguments: JSONValue = ["bad", ["code": 7]]
            #expect(
                result.result == ["exc_type": "ValueError", "exc_message": arguments, "exc_module": "builtins"]
            )
            let traceback = try #require(result.traceback)
            #expect(traceback.hasPrefix("Traceback (most recent call last):\n"))
            #expect(traceback.hasSuffix("ValueError: ('bad', {'code': 7})\n"))
            try await harness.queueIsEmpty()
            let text = "Task proj.fail[\(id)] raised unexpected: ValueError('bad', {'code': 7})"
            #expect(harness.logs.lines.contains { $0.level == "error" && $0.message.hasPrefix(text) })
            #expect(harness.worker.statistics.failed == 1)
        }
    }

    @Test("reports wrong arguments as Python's TypeError")
    func wrongArguments() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        } _: { harness in
            let id = try harness.send("proj.add", [1])
            let exception = try #require(try await harness.result(of: id).exception)

            #expect(exception.type == "TypeError")
            #expect(exception.module == "builtins")
            #expect(exception.arguments == ["add() missing 1 required positional argument: 'y'"])
        }
    }

    @Test("sends no result where none is wanted, and STARTED and custom states where they are")
    func states() async throws {
        var celery = CeleryConfiguration()
        celery.taskTrackStarted = true
        try await WorkerHarness.run(celery: celery) { tasks in
            tasks.register("proj.progress") { (context: TaskContext) -> Int in
                try await context.updateState("PROGRESS", meta: ["current": 1, "total": 2])
                return 2
            }
        } _: { harness in
            let silent = try harness.send("proj.progress", options: TaskOptions(ignoreResult: true))
            let id = try harness.send("proj.progress")
            _ = try await harness.result(of: id)

            let results = try harness.results(of: id)
            #expect(results.map(\.state) == [.started, .custom("PROGRESS"), .success])
            #expect(results[0].result.objectValue?.keys == ["pid", "hostname"])
            #expect(results[0].result.objectValue?["hostname"]?.stringValue == harness.worker.hostname)
            #expect(results[1].result == ["current": 1, "total": 2])
            #expect(results[1].dateDone == nil)
            // A custom state goes out all the same, as Celery sends it.
            try await eventually("the silent one's custom state") { try !harness.results(of: silent).isEmpty }
            try await harness.queueIsEmpty()
            #expect(try harness.results(of: silent).map(\.state) == [.custom("PROGRESS")])
        }
    }

    @Test("tells the extended fields, the group and the parent")
    func extended() async throws {
        var celery = CeleryConfiguration()
        celery.resultExtended = true
        try await WorkerHarness.run(celery: celery) { tasks in
            tasks.register(Self.add) { _, x, y in x + y }
        } _: { harness in
            var options = TaskOptions(groupID: "group-1", parentID: "parent-1")
            options.stampedHeaders = ["color"]
            options.stamps = ["color": "red"]
            let id = try harness.send("proj.add", [2, 3], options: options)
            let result = try await harness.result(of: id)

            #expect(result.groupID == "group-1")
            #expect(result.parentID == "parent-1")
            let extended = try #require(result.extended)
            #expect(extended.name == "proj.add")
            #expect(extended.args == [2, 3])
            #expect(extended.kwargs == [:])
            #expect(extended.worker == harness.worker.hostname)
            #expect(extended.retries == 0)
            #expect(extended.queue == "celery")
            #expect(extended.stampedHeaders == ["color"])
            #expect(extended.stamps == ["color": "red"])
        }
    }

    @Test("Ignore and Reject end a task as Celery does")
    func ignoreAndReject() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.ignore") { (context: TaskContext) -> Int in throw Ignore() }
            tasks.register("proj.reject", options: .init(acks: .late)) { (context: TaskContext) -> Int in
                throw Reject("no thanks")
            }
        } _: { harness in
            let ignored = try harness.send("proj.ignore")
            let rejected = try harness.send("proj.reject")
            let result = try await harness.result(of: rejected)

            #expect(result.state == .failure)
            #expect(result.exception?.type == "Reject")
            #expect(result.exception?.module == "celery.exceptions")
            #expect(result.exception?.arguments == ["no thanks", false])
            #expect(result.traceback == nil)
            try await harness.queueIsEmpty()
            #expect(try harness.results(of: ignored).isEmpty)
            #expect(harness.worker.statistics.ignored == 1)
            #expect(harness.worker.statistics.rejected == 1)
        }
    }

    @Test("a task knows itself, and its log lines carry its id")
    func context() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.self") { (context: TaskContext) -> [String] in
                context.logger.info("hello")
                Logger.current.info("hello again")
                return [
                    context.id, context.name, context.rootID, context.deliveryInfo.routingKey, "\(context.retries)",
                ]
            }
        } _: { harness in
            let id = try harness.send("proj.self")
            let result = try await harness.result(of: id)

            #expect(result.result == [.string(id), "proj.self", .string(id), "celery", "0"])
            let line = try #require(harness.logs.lines.first { $0.message == "hello" })
            #expect(line.metadata["task_id"] == "\(id)")
            #expect(line.metadata["task_name"] == "proj.self")
            #expect(harness.logs.lines.first { $0.message == "hello again" }?.metadata["task_id"] == "\(id)")
        }
    }

    struct Resize: TaskArguments {
        typealias Output = String
        static let taskName = "proj.resize"
        var url: String
        var width: Int?
    }
}
