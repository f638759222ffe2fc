import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Logging
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("Worker: middlewares and signals")
struct HookTests {
    /// What happened, in order.
    private final class Journal: Sendable {
        private let entries = Mutex<[String]>([])

        var all: [String] { entries.withLock { $0 } }

        func add(_ entry: String) { entries.withLock { $0.append(entry) } }

        func count(_ entry: String) -> Int { all.count { $0 == entry } }
    }

    private struct Around: TaskMiddleware {
        let name: String
        let journal: Journal

        func run(
            _ context: TaskContext,
            next: (TaskContext) async throws -> JSONValue
        ) async throws -> JSONValue {
            journal.add("\(name) before \(context.name)")
            defer { journal.add("\(name) after") }
            var inner = context
            inner.logger[metadataKey: name] = "seen"
            return try await next(inner)
        }
    }

    private struct Prevent: TaskMiddleware {
        func run(
            _ context: TaskContext,
            next: (TaskContext) async throws -> JSONValue
        ) async throws -> JSONValue {
            throw TaskError(type: "PermissionError", "not now")
        }
    }

    private struct Header: PublishMiddleware {
        let name: String

        func publish(
            _ publication: TaskPublication,
            next: (TaskPublication) async throws(CeleryError) -> Void
        ) async throws(CeleryError) {
            var publication = publication
            publication.headers[name] = .string("\(publication.task) to \(publication.routingKey)")
            publication.properties.appID = (publication.properties.appID ?? "") + name
            try await next(publication)
        }
    }

    private struct Refuse: PublishMiddleware {
        func publish(
            _ publication: TaskPublication,
            next: (TaskPublication) async throws(CeleryError) -> Void
        ) async throws(CeleryError) {
            throw CeleryError(.invalidOption, "not now")
        }
    }

    /// Notes every signal about tasks under Celery's name.
    private static func watch(_ tasks: inout TaskRegistry, _ journal: Journal) {
        tasks.on(.taskReceived) { journal.add("task_received \($0.headers.task)") }
        tasks.on(.taskPrerun) { journal.add("task_prerun \($0.name)") }
        tasks.on(.taskPostrun) { journal.add("task_postrun \($0.state) \(PythonRepr.repr($0.result))") }
        tasks.on(.taskSuccess) { journal.add("task_success \(PythonRepr.repr($0.result))") }
        tasks.on(.taskFailure) { journal.add("task_failure \($0.exception.pythonRepr)") }
        tasks.on(.taskRetry) { journal.add("task_retry \($0.reason)") }
        tasks.on(.taskRevoked) { journal.add("task_revoked \($0.headers.task) \($0.isExpired) \($0.isTerminated)") }
        tasks.on(.taskUnknown) { journal.add("task_unknown \($0.headers.task)") }
        tasks.on(.taskRejected) { journal.add("task_rejected \($0.task ?? "?")") }
        tasks.on(.beforeTaskPublish) { journal.add("before_task_publish \($0.task)") }
        tasks.on(.afterTaskPublish) { journal.add("after_task_publish \($0.task)") }
    }

    /// The signals of one task that is registered as `proj.t`.
    private func signals(
        _ options: TaskRegistrationOptions = .init(),
        send: TaskOptions = TaskOptions(),
        until last: String,
        _ body: @escaping @Sendable (TaskContext) async throws -> JSONValue
    ) async throws -> [String] {
        let journal = Journal()
        try await OutcomeHarness.run { tasks in
            Self.watch(&tasks, journal)
            tasks.registerUntyped("proj.t", options: options) { context, _, _ in try await body(context) }
        } _: { harness in
            try harness.base.send("proj.t", options: send)
            try await eventually(last) { journal.all.contains { $0.hasPrefix(last) } }
            try await harness.base.queueIsEmpty(OutcomeHarness.queue)
        }
        return journal.all
    }

    @Test("a success is told of in Celery's order")
    func success() async throws {
        let done = Signature("done", options: TaskOptions(queue: OutcomeHarness.other))
        let signals = try await signals(send: TaskOptions(link: [done]), until: "after_task_publish") { _ in 1 }
        #expect(
            signals == [
                "task_received proj.t", "task_prerun proj.t", "task_success 1", "task_postrun SUCCESS 1",
                "before_task_publish done", "after_task_publish done",
            ]
        )
    }

    @Test("a failure, a retry, an ignored and a rejected run")
    func others() async throws {
        let failure = try await signals(until: "task_postrun") { _ in throw TaskError(type: "ValueError", "x") }
        #expect(failure.dropFirst(2).first == "task_failure ValueError('x')")
        #expect(failure.count == 4)
        let retry = try await signals(until: "task_success") { context in
            if context.retries == 1 { return .null }
            throw context.retry(after: .zero, cause: TaskError(type: "ValueError", "x"))
        }
        #expect(
            Array(retry.prefix(6)) == [
                "task_received proj.t", "task_prerun proj.t", "task_retry Retry in 0s: ValueError('x')",
                retry[3], "before_task_publish proj.t", retry[5],
            ]
        )
        #expect(retry[3].hasPrefix("task_postrun RETRY"))
        #expect(retry.contains("after_task_publish proj.t"))
        let ignored = try await signals(until: "task_postrun") { _ in throw Ignore() }
        #expect(ignored == ["task_received proj.t", "task_prerun proj.t", "task_postrun IGNORED None"])
        let rejected = try await signals(until: "task_failure") { _ in throw Reject("no") }
        #expect(
            rejected == [
                "task_received proj.t", "task_prerun proj.t", "task_postrun REJECTED None",
                "task_failure reject requeue=False: no",
            ]
        )
    }

    @Test("the worker tells of a hard limit, once, and a used-up retry is a failure")
    func limits() async throws {
        let limit = TaskRegistrationOptions(timeLimit: .milliseconds(100))
        let hard = try await signals(limit, until: "task_failure") { _ in
            try? await Task.sleep(for: .seconds(600))
            return 1
        }
        #expect(hard.filter { $0.hasPrefix("task_failure") } == ["task_failure TimeLimitExceeded(0.1)"])
        #expect(!hard.contains { $0.hasPrefix("task_success") })
        #expect(hard.contains { $0.hasPrefix("task_postrun FAILURE") })
        let exhausted = try await signals(.init(maxRetries: 0), until: "task_postrun") { throw $0.retry() }
        #expect(exhausted.contains { $0.hasPrefix("task_failure MaxRetriesExceededError(") })
        #expect(!exhausted.contains { $0.hasPrefix("task_retry") })
    }

    @Test("revoked, expired, unknown and unreadable messages")
    func refusals() async throws {
        let journal = Journal()
        let started = TestGate()
        try await OutcomeHarness.run { tasks in
            Self.watch(&tasks, journal)
            tasks.registerUntyped("proj.wait") { context, _, _ in
                started.open()
                try await Task.sleep(for: .seconds(600))
                return .bool(context.isRevoked)
            }
        } _: { harness in
            let id = try harness.base.send("proj.wait")
            await started.wait()
            let request = try #require(harness.base.worker.parts.pool.running.first { $0.id == id })
            request.interruption.interrupt(.revoked(signal: "SIGTERM"))
            try await eventually("the revoke") { journal.all.contains("task_revoked proj.wait false true") }
            var message = TaskHeaders(task: "proj.wait", id: "late")
            message.expires = WireDate(.now.addingTimeInterval(-5)).text
            let (properties, body) = TaskMessage(headers: message, body: TaskBody()).encoded()
            try harness.broker.publish(
                OutgoingMessage(routingKey: OutcomeHarness.queue, properties: properties, body: body)
            )
            try await eventually("the expiry") { journal.all.contains("task_revoked proj.wait true false") }
            try harness.base.send("proj.nobody")
            try await eventually("the unknown one") { journal.all.contains("task_unknown proj.nobody") }
            let strange = FieldTable([.init("task", "proj.wait"), .init("id", "x")])
            var broken = BasicProperties()
            broken.contentType = "application/json"
            broken.headers = strange
            try harness.broker.publish(
                OutgoingMessage(routingKey: OutcomeHarness.queue, properties: broken, body: Array("{".utf8))
            )
            try await eventually("the unreadable one") { journal.all.contains("task_rejected proj.wait") }
        }
    }

    @Test("the worker's own life is told of, each event once and in order")
    func life() async throws {
        let journal = Journal()
        try await WorkerHarness.run { tasks in
            tasks.on(.workerInit) { journal.add("init \($0.hostname)") }
            tasks.on(.workerProcessInit) { _ in journal.add("process_init") }
            tasks.on(.workerReady) { _ in journal.add("ready") }
            tasks.on(.workerShuttingDown) { _ in journal.add("shutting_down") }
            tasks.on(.workerShutdown) { _ in journal.add("shutdown") }
        } _: { harness in
            try await eventually("ready") { journal.all.contains("ready") }
            #expect(journal.all == ["init \(harness.worker.hostname)", "process_init", "ready"])
        }
        #expect(journal.all.dropFirst(3) == ["shutting_down", "shutdown"])
    }

    @Test("a handler that throws is logged and changes nothing; the next one is called")
    func throwing() async throws {
        let journal = Journal()
        try await WorkerHarness.run { tasks in
            tasks.on(.taskPrerun) { _ in throw TaskError(type: "ValueError", "handler") }
            tasks.on(.taskPrerun) { _ in journal.add("second") }
            tasks.register("proj.t") { (x: Int) in x }
        } _: { harness in
            let id = try harness.send("proj.t", [1])
            #expect(try await harness.result(of: id).result == 1)
            #expect(journal.all == ["second"])
            let text = "A handler of the signal task_prerun raised: ValueError('handler')"
            #expect(harness.logs.lines.contains { $0.message == text && $0.level == "error" })
        }
    }

    @Test("task middlewares stand around runs in their order, and may change the logger or prevent the run")
    func middlewares() async throws {
        let journal = Journal()
        try await WorkerHarness.run { tasks in
            tasks.add(Around(name: "outer", journal: journal))
            tasks.add(Around(name: "inner", journal: journal))
            tasks.register("proj.t") { (context: TaskContext) in
                journal.add("body")
                context.logger.info("hello")
            }
        } _: { harness in
            let id = try harness.send("proj.t")
            _ = try await harness.result(of: id)
            #expect(
                journal.all == ["outer before proj.t", "inner before proj.t", "body", "inner after", "outer after"]
            )
            let line = try #require(harness.logs.lines.first { $0.message == "hello" })
            #expect(line.metadata["outer"] == "seen")
            #expect(line.metadata["inner"] == "seen")
            #expect(line.metadata["task_id"] == "\(id)")
        }
        let rules = AutoRetry(on: [.named("PermissionError")], countdown: .zero)
        try await WorkerHarness.run { tasks in
            tasks.add(Prevent())
            tasks.register("proj.t", options: .init(maxRetries: 1, autoRetry: rules)) { (x: Int) in x }
        } _: { harness in
            let id = try harness.send("proj.t", [1])
            #expect(try await harness.result(of: id).exception?.type == "PermissionError")
            try await eventually("both results") { try harness.results(of: id).count == 2 }
            #expect(try Set(harness.results(of: id).map(\.state)) == [.retry, .failure])
        }
    }

    @Test("publish middlewares see and change everything that a worker sends")
    func workerPublishing() async throws {
        try await OutcomeHarness.run { tasks in
            tasks.add(publishing: Header(name: "a"))
            tasks.add(publishing: Header(name: "b"))
            tasks.registerUntyped("proj.t") { context, _, _ in
                try await context.send("child", options: TaskOptions(queue: OutcomeHarness.other))
                return .null
            }
        } _: { harness in
            let done = Signature("done", options: TaskOptions(queue: OutcomeHarness.other))
            let id = try harness.base.send("proj.t", options: TaskOptions(link: [done]))
            _ = try await harness.base.result(of: id)
            let sent = try harness.takeSent()
            #expect(sent.map(\.headers.task) == ["child", "done"])
            for message in sent {
                #expect(message.headers.custom["a"] == .string("\(message.headers.task) to other"))
                #expect(message.headers.custom["b"] == .string("\(message.headers.task) to other"))
                #expect(message.properties.appID == "ab")
            }
        }
    }

    @Test("what a publish middleware refuses is not sent: a child's send throws, a callback fails the task")
    func refusedPublishing() async throws {
        try await OutcomeHarness.run { tasks in
            tasks.add(publishing: Refuse())
            tasks.registerUntyped("proj.t") { context, _, _ in
                do {
                    try await context.send("child", options: TaskOptions(queue: OutcomeHarness.other))
                    return "sent"
                } catch let error as CeleryError {
                    return .string(error.message)
                }
            }
        } _: { harness in
            let alone = try harness.base.send("proj.t")
            #expect(try await harness.base.result(of: alone).result == "not now")
            let done = Signature("done", options: TaskOptions(queue: OutcomeHarness.other))
            let linked = try harness.base.send("proj.t", options: TaskOptions(link: [done]))
            #expect(try await harness.base.result(of: linked).state == .failure)
            #expect(try harness.takeSent().isEmpty)
        }
    }

    @Test("a client's middlewares stand around its sends")
    func clientPublishing() async throws {
        let broker = InMemoryBroker()
        let logger = LogRecorder().logger()
        let client = CeleryClient(broker: broker, logger: logger, middlewares: [Header(name: "a"), Header(name: "b")])
        try await client.enqueue("proj.t", args: [1])
        let group = Signature(
            wire: SignatureWire(
                task: "celery.group",
                kwargs: ["tasks": [Signature("x").json, Signature("y").json]],
                subtaskType: "group"
            )
        )
        try await client.enqueue(group)
        let messages = try broker.takeMessages(from: "celery").map {
            try TaskMessage.decode(properties: $0.properties, body: $0.body)
        }
        #expect(Set(messages.map(\.headers.task)) == ["proj.t", "x", "y"])
        for message in messages {
            #expect(message.headers.custom["a"] == .string("\(message.headers.task) to celery"))
            #expect(message.properties.appID == "ab")
        }
        await client.shutdown()
        let refusing = CeleryClient(broker: broker, logger: logger, middlewares: [Refuse()])
        let error = await #expect(throws: CeleryError.self) { try await refusing.enqueue("proj.t") }
        #expect(error?.message == "not now")
        #expect(broker.messages(in: "celery").isEmpty)
        await refusing.shutdown()
    }
}
