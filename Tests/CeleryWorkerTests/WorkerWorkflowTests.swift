import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Synchronization
import Testing

@Suite("Worker: what follows a task")
struct WorkerWorkflowTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("proj.mul", arguments: "x", "y") { (x: Int, y: Int) in x * y }
        tasks.register("proj.fail") { (context: TaskContext) -> Int in throw TaskError(type: "ValueError", "x") }
    }

    private func chain(_ steps: [Signature]) -> Signature { Chain(steps).signature }

    @Test("runs a chain step by step; each step's result names the next one as its child")
    func chainRuns() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let steps = [
                Signature("proj.add", args: [1, 2]), Signature("proj.mul", args: [3]), Signature("proj.mul", args: [4]),
            ]
            let last = try harness.send(chain(steps))
            let result = try await harness.result(of: last)

            #expect(result.result == 36)
            try await eventually("three results") { harness.broker.messages(in: WorkerHarness.replies).count == 3 }
            // A step's result may come before that of the step before it, which is published after the step is sent.
            let results = try harness.broker.messages(in: WorkerHarness.replies)
                .map { try ResultMessage(decoding: $0.body) }
                .sorted { ($0.result.intValue ?? 0) < ($1.result.intValue ?? 0) }
            #expect(results.map(\.result) == [3, 9, 36])
            let second = results[1]
            #expect(results[0].children == [[[.string(second.taskID), .null], .null]])
            #expect(second.children == [[[.string(last), .null], .null]])
            #expect(second.parentID == results[0].taskID)
            #expect(results[2].children.isEmpty)
        }
    }

    @Test("sends callbacks before the result: one as it is, several as a group")
    func callbacks() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.broker.declareQueue(QueueDeclaration(name: "other"))
            let mul = Signature("proj.mul", args: [10], options: TaskOptions(queue: "other"))
            let done = Signature("proj.done", args: ["x"], options: TaskOptions(queue: "other"), immutable: true)

            let single = try harness.send("proj.add", [1, 2], options: TaskOptions(link: [mul]))
            _ = try await harness.result(of: single)
            let link = try #require(harness.broker.takeMessages(from: "other").first)
            let message = try TaskMessage.decode(properties: link.properties, body: link.body)
            #expect(message.headers.task == "proj.mul")
            #expect(message.body.args == [3, 10])
            #expect(message.headers.parentID == single)
            #expect(message.headers.rootID == single)
            #expect(message.headers.group == nil)
            #expect(message.replyTo == nil)
            let singleResult = try await harness.result(of: single)
            #expect(singleResult.children == [[[.string(message.headers.id), .null], .null]])

            let many = try harness.send("proj.add", [1, 2], options: TaskOptions(link: [mul, done]))
            let result = try await harness.result(of: many)
            let links = try harness.broker.takeMessages(from: "other").map {
                try TaskMessage.decode(properties: $0.properties, body: $0.body)
            }
            let group = try #require(links.first?.headers.group)
            #expect(links.map(\.headers.task) == ["proj.mul", "proj.done"])
            #expect(links.map(\.headers.group) == [group, group])
            #expect(links.map(\.headers.groupIndex) == [0, 1])
            #expect(links[1].body.args == ["x"])
            let children = links.map { ResultTuple(id: $0.headers.id) }
            #expect(result.children == [ResultTuple(id: group, members: children).json])
        }
    }

    @Test("a failure reaches the steps that will never run, and the errbacks")
    func failure() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.broker.declareQueue(QueueDeclaration(name: "other"))
            let errback = Signature("proj.clean", options: TaskOptions(queue: "other"))
            let steps = [
                Signature("proj.fail"), Signature("proj.add", args: [1]), Signature("proj.add", args: [2]),
            ]
            let last = try harness.send(chain(steps), options: TaskOptions(linkError: [errback]))
            let result = try await harness.result(of: last)
            try await eventually("three results") { harness.broker.messages(in: WorkerHarness.replies).count == 3 }
            // The errbacks follow the results.
            try await eventually("the errback") { !harness.broker.messages(in: "other").isEmpty }

            let results = try harness.broker.messages(in: WorkerHarness.replies).map {
                try ResultMessage(decoding: $0.body)
            }
            #expect(results.allSatisfy { $0.state == .failure && $0.exception?.type == "ValueError" })
            #expect(Set(results.map(\.taskID)).count == 3)
            #expect(Set(results.map(\.traceback)).count == 1)
            #expect(
                harness.broker.messages(in: WorkerHarness.replies).allSatisfy { message in
                    results.contains { $0.taskID == message.properties.correlationID }
                }
            )
            #expect(result.exception?.arguments == ["x"])

            let errbacks = try harness.broker.takeMessages(from: "other").map {
                try TaskMessage.decode(properties: $0.properties, body: $0.body)
            }
            let failed = try #require(
                results.map(\.taskID).first { $0 != last && $0 == errbacks.first?.headers.parentID }
            )
            #expect(errbacks.map(\.body.args) == [[.string(failed)]])
            #expect(errbacks.first?.headers.group != nil)
        }
    }

    @Test("tasks that a task sends are its children and keep the root")
    func children() async throws {
        try await WorkerHarness.run { tasks in
            Self.register(&tasks)
            tasks.register("proj.spawn") { (context: TaskContext) -> String in
                let call = TaskName("proj.add", Int.self, Int.self, returning: Int.self)(1, 1)
                return try await context.send(call.with(TaskOptions(queue: "other")))
            }
        } _: { harness in
            let id = try harness.send("proj.spawn", options: TaskOptions(rootID: "root"))
            let result = try await harness.result(of: id)
            let sent = try #require(harness.broker.messages(in: "other").first)
            let message = try TaskMessage.decode(properties: sent.properties, body: sent.body)

            #expect(result.result == .string(message.headers.id))
            #expect(result.children == [[[.string(message.headers.id), .null], .null]])
            #expect(message.headers.parentID == id)
            #expect(message.headers.rootID == "root")
            #expect(message.replyTo == nil)
        }
    }

    @Test("a step that cannot be sent fails the task and the rest of its chain")
    func unsendableStep() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            harness.broker.protectedNames = ["locked"]
            let steps = [
                Signature("proj.add", args: [1, 2]),
                Signature("proj.add", args: [3], options: TaskOptions(queue: "locked")),
            ]
            let last = try harness.send(chain(steps))
            let result = try await harness.result(of: last)

            #expect(result.state == .failure)
            #expect(result.exception?.type == "OperationalError")
            try await harness.queueIsEmpty()
        }
    }
}

@Suite("Worker: retries")
struct WorkerRetryTests {
    @Test("sends the task again under its id, then tells the caller")
    func retries() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.flaky", arguments: "times") { (context: TaskContext, times: Int) -> Int in
                guard context.retries < times else { return context.retries }
                throw Retry(after: .milliseconds(20), cause: TaskError(type: "ValueError", "boom"))
            }
        } _: { harness in
            let id = try harness.send("proj.flaky", [2])
            let result = try await harness.result(of: id)

            #expect(result.result == 2)
            try await eventually("all states") { try harness.results(of: id).count == 3 }
            let retries = try harness.results(of: id).filter { $0.state == .retry }
            #expect(retries.count == 2)
            let retry = try #require(retries.first)
            #expect(retry.exception == ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["boom"]))
            #expect(retry.traceback?.hasSuffix("celery.exceptions.Retry: Retry in 0.02s: ValueError('boom')\n") == true)
            #expect(retry.children == [[[.string(id), .null], .null]])
            #expect(retry.dateDone == nil)
            #expect(harness.worker.statistics.retried == 2)
            #expect(harness.logs.messages.contains("Task proj.flaky[\(id)] retry: Retry in 0.02s: ValueError('boom')"))
        }
    }

    @Test("fails with the cause, or MaxRetriesExceededError, when the limit is exceeded")
    func exhausted() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.cause", options: .init(maxRetries: 1)) { (context: TaskContext) -> Int in
                throw context.retry(after: .milliseconds(1), cause: TaskError(type: "KeyError", "k"))
            }
            tasks.register("proj.plain", arguments: "x") { (context: TaskContext, x: Int) -> Int in
                throw Retry(after: .milliseconds(1), max: 0)
            }
        } _: { harness in
            let cause = try harness.send("proj.cause")
            let plain = try harness.send("proj.plain", [1])

            #expect(try await harness.result(of: cause).exception?.type == "KeyError")
            try await eventually("both states") { try harness.results(of: cause).count == 2 }
            #expect(Set(try harness.results(of: cause).map(\.state)) == [.retry, .failure])
            let exception = try #require(try await harness.result(of: plain).exception)
            #expect(exception.type == "MaxRetriesExceededError")
            #expect(exception.module == "celery.exceptions")
            #expect(exception.arguments == [.string("Can't retry proj.plain[\(plain)] args:(1,) kwargs:{}")])
        }
    }

    @Test("the message that is sent again carries one retry more and the new time")
    func message() async throws {
        try await WorkerHarness.run { tasks in
            tasks.register("proj.later", arguments: "x") { (context: TaskContext, x: Int) -> Int in
                var retry = Retry(after: .seconds(600))
                retry.args = [2]
                throw retry
            }
        } _: { harness in
            let id = try harness.send("proj.later", [1])
            try await eventually("the retry") { try harness.results(of: id).last?.state == .retry }
            harness.worker.triggerShutdown()
            try await eventually("the message") { !harness.broker.messages(in: "celery").isEmpty }
            let sent = try #require(harness.broker.messages(in: "celery").first)
            let message = try TaskMessage.decode(properties: sent.properties, body: sent.body)

            #expect(message.headers.id == id)
            #expect(message.headers.retries == 1)
            #expect(message.headers.eta != nil)
            #expect(message.headers.parentID == id)
            #expect(message.headers.rootID == id)
            #expect(message.body.args == [2])
            #expect(message.headers.argsrepr == "(2,)")
            #expect(message.replyTo == WorkerHarness.replies)
            #expect(message.correlationID == id)
        }
    }
}
