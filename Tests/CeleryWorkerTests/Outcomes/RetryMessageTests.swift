import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("Worker: messages of retries and replacements")
struct RetryMessageTests {
    /// The calls that bodies have seen.
    private final class Seen: Sendable {
        private let calls = Mutex<[Invocation]>([])

        var all: [Invocation] { calls.withLock { $0 } }

        func add(_ context: TaskContext) { calls.withLock { $0.append(context.invocation) } }

        /// Lets go of the calls, which hold the task that holds this.
        func clear() { calls.withLock { $0 = [] } }
    }

    /// Options that a sender can give and a retry has to keep.
    private var options: TaskOptions {
        var options = TaskOptions(
            priority: 5,
            expires: .after(.seconds(3_600)),
            timeLimit: .seconds(90),
            softTimeLimit: .seconds(80),
            headers: ["my": "header", "number": .int64(7)],
            shadow: "alias",
            groupID: "group-1",
            groupIndex: 3,
            rootID: "root-1",
            parentID: "parent-1",
            link: [Signature("done", options: TaskOptions(queue: OutcomeHarness.other))],
            linkError: [Signature("clean", options: TaskOptions(queue: OutcomeHarness.other))],
            ignoreResult: false
        )
        options.stampedHeaders = ["color"]
        options.stamps = ["color": "red"]
        options.origin = "gen1@elsewhere"
        options.replacedTaskNesting = 2
        return options
    }

    @Test("an automatic retry keeps all that Celery keeps, and with a budget adds when the first run has started")
    func keepsHeaders() async throws {
        let seen = Seen()
        defer { seen.clear() }
        let rules = AutoRetry(on: [.any], countdown: .zero, budget: .seconds(3_600))
        try await OutcomeHarness.run { tasks in
            tasks.register("proj.fail", options: .init(autoRetry: rules)) { (context: TaskContext, x: Int) -> Int in
                seen.add(context)
                if context.retries < 2 { throw TaskError(type: "ValueError", "boom") }
                return x
            }
        } _: { harness in
            let started = Date().addingTimeInterval(-1)
            let id = try harness.base.send("proj.fail", [1], options: options)
            let result = try await harness.base.result(of: id)
            #expect(result.result == 1)
            try await eventually("three results") { try harness.states(of: id).count == 3 }
            let retry = try #require(try harness.base.results(of: id).first { $0.state == .retry })
            #expect(retry.exception?.type == "ValueError")
            #expect(retry.traceback?.hasSuffix("Retry: Retry in 0s: ValueError('boom')\n") == true)
            #expect(retry.children == [[[.string(id), .null], .null]])

            let calls = seen.all
            #expect(calls.map(\.envelope.headers.retries) == [0, 1, 2])
            let first = try #require(calls[1].envelope.headers.custom["swcelery-first-run"]?.stringValue)
            #expect(try WireDate(parsing: first).date > started)
            #expect(try WireDate(parsing: first).date <= Date())
            for (index, call) in calls.enumerated().dropFirst() {
                var expected = calls[0].envelope.headers
                expected.retries = index
                // The first run's start travels on unchanged.
                expected.custom["swcelery-first-run"] = .string(first)
                #expect(call.envelope.headers == expected)
                #expect(call.body == calls[0].body)
                #expect(call.envelope.properties.priority == 5)
                #expect(call.envelope.properties.replyTo == WorkerHarness.replies)
                #expect(call.envelope.properties.correlationID == id)
                #expect(call.envelope.properties.expiration != nil)
            }
        }
    }

    @Test("without a budget a retry carries nothing of ours; a null parent becomes the task itself")
    func explicitRetry() async throws {
        let seen = Seen()
        defer { seen.clear() }
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.again") { context, args, _ in
                seen.add(context)
                if context.retries == 1 { return .array(args) }
                var retry = context.retry(after: .zero, cause: TaskError(type: "KeyError", "k"))
                retry.args = [2]
                retry.priority = 9
                retry.timeLimit = .seconds(30)
                retry.softTimeLimit = .seconds(20)
                retry.headers = ["mine": "new"]
                throw retry
            }
        } _: { harness in
            let id = try harness.base.send("proj.again", [1])
            #expect(try await harness.base.result(of: id).result == [2])
            let second = try #require(seen.all.last)
            #expect(second.envelope.headers.custom == ["mine": "new"])
            #expect(second.envelope.headers.timeLimit == 30)
            #expect(second.envelope.headers.softTimeLimit == 20)
            #expect(second.envelope.properties.priority == 9)
            #expect(second.envelope.headers.parentID == id)
            #expect(second.envelope.headers.rootID == id)
            #expect(second.envelope.headers.argsrepr == "(2,)")
        }
    }

    @Test("retries end with the error when they are used up; its errbacks are sent once")
    func exhausted() async throws {
        let rules = AutoRetry(on: [.named("ValueError")], countdown: .zero)
        let options = TaskRegistrationOptions(maxRetries: 2, autoRetry: rules, expectedErrors: [.named("ValueError")])
        try await OutcomeHarness.run { tasks in
            tasks.register("proj.fail", options: options) { (context: TaskContext) -> Int in
                throw TaskError(type: "ValueError", "boom")
            }
        } _: { harness in
            let clean = Signature("clean", options: TaskOptions(queue: OutcomeHarness.other))
            let id = try harness.base.send("proj.fail", options: TaskOptions(linkError: [clean]))
            let result = try await harness.base.result(of: id)
            #expect(result.exception?.type == "ValueError")
            // A retry may run before the result of the run before it is out.
            try await eventually("three results") { try harness.states(of: id).count == 3 }
            #expect(try harness.states(of: id).count { $0 == .retry } == 2)
            try await eventually("the errback") { harness.broker.messages(in: OutcomeHarness.other).count == 1 }
            #expect(harness.base.logs.messages.contains("Task proj.fail[\(id)] raised expected: ValueError('boom')"))
            let retries = harness.base.logs.messages.filter {
                $0 == "Task proj.fail[\(id)] retry: Retry in 0s: ValueError('boom')"
            }
            #expect(retries.count == 2)
        }
    }

    @Test("a replaced task's caller gets the replacement's result, under the same id")
    func replaced() async throws {
        let seen = Seen()
        defer { seen.clear() }
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.old", options: .init(acks: .late)) { context, args, _ in
                throw try await context.replace(with: Signature("proj.new", args: args))
            }
            tasks.register("proj.new") { (context: TaskContext, x: Int) -> Int in
                seen.add(context)
                return x + 1
            }
        } _: { harness in
            let done = Signature("done", options: TaskOptions(queue: OutcomeHarness.other))
            let id = try harness.base.send("proj.old", [1], options: TaskOptions(link: [done]))
            let result = try await harness.base.result(of: id)
            #expect(result.result == 2)
            #expect(try harness.states(of: id) == [.success])
            let headers = try #require(seen.all.first).envelope.headers
            #expect(headers.id == id)
            #expect(headers.replacedTaskNesting == 1)
            #expect(headers.parentID == id)
            try await harness.base.queueIsEmpty(OutcomeHarness.queue)
            #expect(try harness.takeSent().map(\.headers.task) == ["done"])
            #expect(harness.base.worker.statistics.ignored == 1)
        }
    }

    @Test("a replacement inside of a chain hands its result to the next step")
    func replacedInChain() async throws {
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.old") { context, args, _ in
                let steps = [Signature("proj.add", args: args + [1]), Signature("proj.add", args: [10])]
                throw try await context.replace(with: Chain(steps))
            }
            tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        } _: { harness in
            let chain = Chain([Signature("proj.old", args: [1]), Signature("proj.add", args: [100])])
            let last = try harness.base.send(chain.signature)
            #expect(try await harness.base.result(of: last).result == 112)
        }
    }

    @Test("what cannot replace a task fails it, and can be caught")
    func refused() async throws {
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.old") { context, _, _ in
                let chain = Signature(
                    wire: SignatureWire(task: "celery.chain", kwargs: ["tasks": []], subtaskType: "chain")
                )
                do {
                    throw try await context.replace(with: chain)
                } catch let error as CeleryError {
                    return .string(error.code.description)
                }
            }
        } _: { harness in
            let id = try harness.base.send("proj.old")
            #expect(
                try await harness.base.result(of: id).result == .string(CeleryError.Code.invalidSignature.description)
            )
        }
    }
}
