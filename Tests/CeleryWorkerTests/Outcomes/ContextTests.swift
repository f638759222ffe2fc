import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("Worker: what a task knows")
struct ContextTests {
    /// The context of a run, kept for a look at it afterwards.
    private final class Kept: Sendable {
        private let context = Mutex<TaskContext?>(nil)

        var value: TaskContext? { context.withLock { $0 } }

        func keep(_ context: TaskContext) { self.context.withLock { $0 = context } }

        /// Lets go of the context, which holds the task that holds this.
        func clear() { context.withLock { $0 = nil } }
    }

    @Test("all of Celery's request object")
    func request() async throws {
        let kept = Kept()
        defer { kept.clear() }
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.t") { context, _, _ in
                try await context.send("child", options: TaskOptions(queue: OutcomeHarness.other))
                kept.keep(context)
                return .null
            }
        } _: { harness in
            var options = TaskOptions(
                priority: 3,
                expires: .after(.seconds(600)),
                timeLimit: .seconds(60),
                softTimeLimit: .seconds(50),
                headers: ["my": "header"],
                shadow: "alias",
                properties: MessageProperties(messageID: "m-1"),
                groupID: "group-1",
                groupIndex: 4,
                rootID: "root-1",
                parentID: "parent-1",
                link: [Signature("done", options: TaskOptions(queue: OutcomeHarness.other))],
                linkError: [Signature("clean")],
                ignoreResult: false
            )
            options.stampedHeaders = ["color"]
            options.stamps = ["color": "red"]
            options.retries = 2
            options.replacedTaskNesting = 1
            options.origin = "gen1@elsewhere"
            options.chain = [Signature("last").json, Signature("next", options: TaskOptions(queue: "other")).json]
            let id = try harness.base.send(Signature("proj.t", args: [1], kwargs: ["k": 2]), options: options)
            _ = try await harness.base.result(of: id)

            let context = try #require(kept.value)
            #expect(context.id == id)
            #expect(context.name == "proj.t")
            #expect(context.shadow == "alias")
            #expect(context.args == [1])
            #expect(context.kwargs == ["k": 2])
            #expect(context.rootID == "root-1")
            #expect(context.parentID == "parent-1")
            #expect(context.group == "group-1")
            #expect(context.groupIndex == 4)
            #expect(context.retries == 2)
            #expect(context.replacedTaskNesting == 1)
            #expect(context.origin == "gen1@elsewhere")
            #expect(context.hostname == harness.base.worker.hostname)
            #expect(context.eta == nil)
            #expect(try #require(context.expires) > Date())
            #expect(context.utc)
            #expect(context.timeLimit == .seconds(60))
            #expect(context.softTimeLimit == .seconds(50))
            #expect(context.replyTo == WorkerHarness.replies)
            #expect(context.correlationID == id)
            #expect(context.properties.messageID == "m-1")
            #expect(context.properties.priority == 3)
            #expect(context.customHeaders == ["my": "header"])
            #expect(context.stampedHeaders == ["color"])
            #expect(context.stamps == ["color": "red"])
            #expect(context.deliveryInfo.routingKey == OutcomeHarness.queue)
            #expect(context.deliveryInfo.priority == 3)
            #expect(!context.deliveryInfo.redelivered)
            #expect(context.callbacks.map(\.task) == ["done"])
            #expect(context.errbacks.map(\.task) == ["clean"])
            #expect(context.chain.map(\.task) == ["next", "last"])
            #expect(context.chord == nil)
            #expect(!context.ignoreResult)
            #expect(context.cancellationReason == nil)
            #expect(!context.isRevoked)
            // The child, and what followed the task.
            #expect(context.children.count == 3)
        }
    }

    @Test("children are not told where the task keeps no trail; a registered child is sent with its own options")
    func children() async throws {
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.t", options: .init(trail: false)) { context, _, _ in
                try await context.send("proj.child", options: TaskOptions(queue: OutcomeHarness.other))
                return .null
            }
            tasks.register("proj.child", options: .init(ignoreResult: true, priority: 7, expires: .seconds(60))) {
                (x: Int) in x
            }
        } _: { harness in
            let result = try await harness.base.result(of: harness.base.send("proj.t"))
            #expect(result.state == .success)
            #expect(result.children.isEmpty)
            let child = try #require(try harness.takeSent().first)
            #expect(child.priority == 7)
            #expect(child.headers.expires != nil)
            #expect(child.properties.expiration == "60000")
            #expect(child.headers.ignoreResult == true)
        }
    }

    @Test("how much time is left, until the soft limit, else the hard one")
    func remainingTime() async throws {
        let kept = Kept()
        defer { kept.clear() }
        try await OutcomeHarness.run { tasks in
            tasks.register("proj.both", options: .init(timeLimit: .seconds(900), softTimeLimit: .seconds(600))) {
                (context: TaskContext) in kept.keep(context)
            }
            tasks.register("proj.hard", options: .init(timeLimit: .seconds(900))) { (context: TaskContext) in
                kept.keep(context)
            }
            tasks.register("proj.none") { (context: TaskContext) in kept.keep(context) }
        } _: { harness in
            _ = try await harness.base.result(of: harness.base.send("proj.both"))
            let both = try #require(kept.value)
            #expect(try #require(both.remainingTime) <= .seconds(600))
            #expect(try #require(both.remainingTime) > .seconds(300))
            #expect(try #require(both.deadline) == both.start + .seconds(600))
            _ = try await harness.base.result(of: harness.base.send("proj.hard"))
            let hard = try #require(kept.value)
            #expect(try #require(hard.remainingTime) > .seconds(600))
            _ = try await harness.base.result(of: harness.base.send("proj.none"))
            #expect(kept.value?.remainingTime == nil)
            #expect(kept.value?.deadline == nil)
        }
    }

    @Test("no time is left once the limit has passed, and the reason of the cancellation is known")
    func reasons() async throws {
        let kept = Kept()
        defer { kept.clear() }
        let options = TaskRegistrationOptions(timeLimit: .seconds(600), softTimeLimit: .milliseconds(20))
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.t", options: options) { context, _, _ in
                try? await Task.sleep(for: .seconds(600))
                kept.keep(context)
                return .bool(context.cancellationReason == .softTimeLimit)
            }
        } _: { harness in
            let id = try harness.base.send("proj.t")
            #expect(try await harness.base.result(of: id).result == true)
            #expect(kept.value?.remainingTime == .zero)
            let text = "Soft time limit (0.02s) exceeded for proj.t[\(id)]"
            #expect(harness.base.logs.lines.contains { $0.message == text && $0.level == "warning" })
        }
    }

    @Test("a task sees that it was revoked; its caller hears of it whatever it makes of that")
    func revoked() async throws {
        let kept = Kept()
        defer { kept.clear() }
        let started = TestGate()
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.t", options: .init(acks: .late)) { context, _, _ in
                started.open()
                try? await Task.sleep(for: .seconds(600))
                kept.keep(context)
                return "finished all the same"
            }
        } _: { harness in
            let id = try harness.base.send("proj.t")
            await started.wait()
            _ = harness.base.worker.revoke([id], terminate: true)
            let result = try await harness.base.result(of: id)
            #expect(result.state == .revoked)
            #expect(result.exception == ExceptionInfo.revoked("terminated"))
            #expect(kept.value?.isRevoked == true)
            #expect(kept.value?.cancellationReason == .revoked)
            try await harness.base.queueIsEmpty(OutcomeHarness.queue)
            #expect(harness.broker.messages(in: OutcomeHarness.dead).isEmpty)
        }
    }
}
