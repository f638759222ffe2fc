import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import PoolTasks
import Testing

@testable import CeleryWorker

/// What a worker does for its events to be those of a capture.
struct GoldenEventCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Fields whose texts are Python's own.
    var tolerated: Set<String> = []
    /// Whether Celery's order is one of chance.
    var isUnordered = false
    /// Whether Celery tells the last event twice.
    var isToldTwice = false
    var configuration = WorkerConfiguration(concurrency: 1, hostname: "w1@worker.example")
    let run: @Sendable (EventHarness) async throws -> Void

    var testDescription: String { name }

    /// Sends one task and waits for an event of it.
    private static func send(
        _ name: String,
        _ task: String,
        _ args: [JSONValue] = [],
        _ options: TaskOptions = TaskOptions(),
        until type: String = "task-succeeded",
        tolerated: Set<String> = [],
        isToldTwice: Bool = false
    ) -> GoldenEventCase {
        GoldenEventCase(name: name, tolerated: tolerated, isToldTwice: isToldTwice) { harness in
            let id = try harness.base.send(task, args, options: options)
            _ = try await harness.event(type, of: id)
        }
    }

    private static func worker(_ name: String, until type: String?) -> GoldenEventCase {
        var configuration = WorkerConfiguration(concurrency: 1, hostname: "w1@worker.example")
        configuration.heartbeatInterval = .milliseconds(100)
        return GoldenEventCase(name: name, configuration: configuration) { harness in
            if let type { _ = try await harness.event(type) }
        }
    }

    private static func dispatched(
        _ name: String,
        _ type: String,
        _ fields: JSONObject,
        times: Int
    ) -> GoldenEventCase {
        GoldenEventCase(name: name) { harness in
            for _ in 0..<times { harness.events.publish(type, fields: fields, processID: 1) }
            _ = try await harness.event(type)
        }
    }

    private static let election: JSONObject = [
        "id": "election-id", "topic": "task",
        "action": [
            "task": "tasks.add", "args": [2, 3], "kwargs": [:], "options": [:], "subtask_type": nil, "immutable": false,
        ],
        "cver": 1,
    ]

    static let all: [GoldenEventCase] = succeeding + failing + ending + others

    private static let succeeding: [GoldenEventCase] = [
        send("success", "tasks.add", [2, 3]),
        send("success_unicode", "tasks.ident", ["gr\u{fc}\u{df} \u{1f600}"]),
        send("success_long_repr", "tasks.ident", [.string(String(repeating: "x", count: 3000))]),
        send("started", "tasks.tracked", [1]),
        send("progress", "tasks.progress"),
        send("ignore_result", "tasks.add", [2, 3], TaskOptions(ignoreResult: true)),
        send("custom_event", "tasks.custom_event"),
    ]

    private static let failing: [GoldenEventCase] = [
        send("failure", "tasks.fail", ["bad", ["code": 7]], until: "task-failed"),
        send("failure_opaque_args", "tasks.fail_opaque", until: "task-failed", tolerated: ["exception"]),
        send("encode_error", "tasks.opaque_result", until: "task-failed", tolerated: ["exception"]),
        send("ignored_failure", "tasks.fail", ["x"], TaskOptions(ignoreResult: true), until: "task-failed"),
        send("retry_exhausted", "tasks.retry_exhausted", [1], until: "task-failed"),
        send("reject", "tasks.reject", until: "task-failed"),
        send("reject_acks_late", "tasks.reject_late", until: "task-rejected"),
        send("not_registered", "tasks.nowhere", until: "task-failed"),
        send("soft_time_limit", "tasks.soft", until: "task-failed"),
        send(
            "hard_time_limit",
            "tasks.sleep",
            [30],
            TaskOptions(timeLimit: .milliseconds(50)),
            until: "task-failed",
            tolerated: ["exception"],
            isToldTwice: true
        ),
        GoldenEventCase(
            name: "worker_lost",
            tolerated: ["exception", "name", "args"],
            configuration: PoolHarness.configuration(concurrency: 1)
        ) { harness in
            let id = try harness.base.send("pool.exit", [3])
            _ = try await harness.event("task-failed", of: id)
        },
        GoldenEventCase(name: "retry_state", isUnordered: true) { harness in
            let id = try harness.base.send("tasks.retry_countdown", [1])
            _ = try await harness.event("task-retried", of: id)
            try await eventually("the next run is received") {
                try harness.all().count { $0.type == "task-received" } == 2
            }
        },
    ]

    private static let ending: [GoldenEventCase] = [
        GoldenEventCase(name: "ignore") { harness in
            let id = try harness.base.send("tasks.ignore")
            _ = try await harness.event("task-started", of: id)
            try await eventually("it is ignored") { harness.base.worker.statistics.ignored == 1 }
        },
        GoldenEventCase(name: "expired") { harness in
            // The broker would drop a message whose time is over.
            let options = TaskOptions(expires: .at(Date(timeIntervalSinceNow: -5)), taskID: "the-id")
            let call = Signature("tasks.add", args: [2, 3])
            let composition = try harness.base.composer.compose(call, options: options, context: SendContext())
            var message = try #require(composition.tasks.first).message
            message.properties.expiration = nil
            try harness.broker.publish(message)
            _ = try await harness.event("task-revoked", of: "the-id")
        },
        GoldenEventCase(name: "revoked") { harness in
            harness.base.worker.revoke(["the-id"])
            try harness.base.send("tasks.add", [2, 3], options: TaskOptions(taskID: "the-id"))
            _ = try await harness.event("task-revoked", of: "the-id")
        },
        GoldenEventCase(name: "revoked_by_stamp") { harness in
            // While it waits for a slot: Celery looks at stamps when the task is about to start.
            let first = try harness.base.send("tasks.wait")
            _ = try await harness.event("task-started", of: first)
            let id = try harness.base.send(Signature("tasks.add", args: [2, 3]).stamp(["color": "red"]))
            _ = try await harness.event("task-received", of: id)
            harness.base.worker.revoke(stamps: ["color": ["red"]])
            _ = try await harness.event("task-revoked", of: id)
            harness.base.worker.revoke([first], terminate: true)
        },
        GoldenEventCase(name: "terminated") { harness in
            let id = try harness.base.send("tasks.sleep", [30])
            _ = try await harness.event("task-started", of: id)
            harness.base.worker.revoke([id], terminate: true, signal: "SIGKILL")
            _ = try await harness.event("task-revoked", of: id)
        },
        GoldenEventCase(name: "cancelled") { harness in
            let id = try harness.base.send("tasks.sleep", [30])
            _ = try await harness.event("task-started", of: id)
            harness.base.worker.triggerShutdown(.cold)
            _ = try await harness.event("task-cancelled", of: id)
        },
    ]

    private static let others: [GoldenEventCase] = [
        worker("worker_online", until: "worker-online"),
        worker("worker_heartbeat", until: "worker-heartbeat"),
        worker("worker_offline", until: nil),
        dispatched("worker_elect", "worker-elect", election, times: 2),
        dispatched("worker_elect_ack", "worker-elect-ack", ["id": "election-id"], times: 4),
        dispatched("custom_dispatcher", "my-custom-event", ["field": "value", "n": 1], times: 1),
        GoldenEventCase(name: "task_sent") { harness in
            try await client(harness) { _ = try await $0.send("tasks.add", args: [2, 3]) }
        },
        GoldenEventCase(name: "task_sent_chain") { harness in
            let options = TaskOptions(countdown: .seconds(10), expires: .after(.seconds(60)))
            let mul = Signature("tasks.mul", args: [3])
            try await client(harness) { client in
                try await client.enqueue(
                    Chain([Signature("tasks.add", args: [1, 2]), mul]).signature,
                    options: options
                )
            }
        },
    ]

    /// Sends by a client on the worker's broker.
    private static func client(
        _ harness: EventHarness,
        _ send: (CeleryClient) async throws -> Void
    ) async throws {
        var configuration = CeleryConfiguration()
        configuration.taskSendSentEvent = true
        let client = CeleryClient(
            broker: harness.broker,
            configuration: configuration,
            logger: harness.base.logs.logger()
        )
        try await withCeleryClient(client) { try await send($0) }
        _ = try await harness.event("task-sent")
    }
}

@Suite("Events are Celery's, field by field up to ids, times and tracebacks")
struct GoldenEventTests {
    private static func register(_ tasks: inout TaskRegistry) {
        PoolTasks.register(in: &tasks)
        tasks.register("tasks.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.registerUntyped("tasks.ident") { _, args, _ in args[0] }
        tasks.register("tasks.tracked", arguments: "x", options: .init(trackStarted: true)) { (x: Int) in x }
        tasks.register("tasks.progress") { (context: TaskContext) -> String in
            try await context.updateState("PROGRESS", meta: ["done": 1])
            return "done"
        }
        tasks.registerUntyped("tasks.custom_event") { context, _, _ in
            await context.sendEvent("task-custom", ["answer": 42, "text": "\u{fc}"])
            return .null
        }
        tasks.registerUntyped("tasks.fail") { _, args, _ in throw TaskError(type: "ValueError", arguments: args) }
        tasks.registerUntyped("tasks.fail_opaque") { _, _, _ in
            throw TaskError(type: "RuntimeError", arguments: ["see", "<Opaque>", .bytes([0xff, 0xfe])])
        }
        tasks.register("tasks.opaque_result") { (context: TaskContext) -> Opaque in Opaque() }
        tasks.registerUntyped("tasks.retry_countdown") { _, _, _ in
            throw Retry(after: .seconds(600), cause: TaskError(type: "ValueError", "boom"))
        }
        tasks.registerUntyped("tasks.retry_exhausted") { _, _, _ in throw Retry(after: .seconds(1), max: 0) }
        tasks.registerUntyped("tasks.reject") { _, _, _ in throw Reject("no thanks") }
        tasks.registerUntyped("tasks.reject_late", options: .init(acks: .late)) { _, _, _ in throw Reject("no thanks") }
        tasks.registerUntyped("tasks.ignore") { _, _, _ in throw Ignore() }
        tasks.registerUntyped("tasks.sleep") { _, _, _ in
            try await Task.sleep(for: .seconds(3600))
            return .null
        }
        tasks.registerUntyped("tasks.wait") { _, _, _ in
            try await Task.sleep(for: .seconds(3600))
            return .null
        }
        tasks.registerUntyped("tasks.soft", options: .init(softTimeLimit: .milliseconds(50))) { _, _, _ in
            try await Task.sleep(for: .seconds(3600))
            return .null
        }
    }

    private struct Opaque: Encodable, Sendable {
        func encode(to encoder: any Encoder) throws {
            let reason = "Object of type Opaque is not JSON serializable"
            throw EncodingError.invalidValue(self, EncodingError.Context(codingPath: [], debugDescription: reason))
        }
    }

    @Test(arguments: GoldenEventCase.all)
    func reproduces(_ golden: GoldenEventCase) async throws {
        var expected = try EventCapture.golden(golden.name, tolerated: golden.tolerated)
        #expect(!expected.isEmpty)
        if golden.isToldTwice {
            #expect(expected.last?.fields == expected.dropLast().last?.fields)
            expected.removeLast()
        }
        let messages = try await EventHarness.run(golden.configuration, register: Self.register, golden.run)
        let types = Set(expected.map(\.type))
        var own = try messages.flatMap { try EventCapture.all($0, tolerated: golden.tolerated) }
            .filter { types.contains($0.type) && !$0.fields.contains(#"name="tasks.wait""#) }
        if golden.name == "worker_heartbeat" { own = Array(own.prefix(1)) }
        if golden.name == "revoked_by_stamp" { own = Array(own.prefix(2)) }
        if golden.isUnordered {
            own.sort { $0.description < $1.description }
            expected.sort { $0.description < $1.description }
        }
        #expect(own == expected)
    }

    @Test("every capture of an event is covered")
    func coverage() throws {
        let files = Set(try EventCapture.names().map { String($0.dropFirst("event_".count).prefix { $0 != "." }) })
        #expect(files == Set(GoldenEventCase.all.map(\.name)))
        #expect(try EventCapture.names().count >= 78)
    }
}
