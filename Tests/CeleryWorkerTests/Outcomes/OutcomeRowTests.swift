import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import Testing

/// Each way in which a task ends, with early and with late acknowledgement: what is settled, stored and sent.
@Suite("Worker: the rows of the table of outcomes")
struct OutcomeRowTests {
    /// A row of the table.
    struct Row: Sendable {
        let name: String
        /// What the body does, at the first run of its message.
        let end: @Sendable (TaskContext) async throws -> JSONValue
        var options = TaskRegistrationOptions(maxRetries: 0)
        /// How a late delivery is settled.
        var late: OutcomeHarness.Settled
        /// The results, early; nil where they are those of late acknowledgement, too.
        let states: [TaskState]
        /// The results, late, where they differ: those of the run after a requeue follow.
        var lateStates: [TaskState]?
        var exception: ExceptionInfo?
        var hasTraceback = false
        /// The tasks that are sent: callbacks or errbacks.
        var sent: [String] = []
        /// Whether the rest of the chain is told of it.
        var failsChain = false
    }

    private static let value = ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["boom"])

    private static func raise(_ context: TaskContext) async throws -> JSONValue {
        throw TaskError(type: "ValueError", "boom")
    }

    private static func wait(_ context: TaskContext) async throws -> JSONValue {
        try await Task.sleep(for: .seconds(600))
        return .null
    }

    static let rows: [Row] = [
        Row(name: "success", end: { _ in 1 }, late: .acknowledged, states: [.success], sent: ["done"]),
        Row(
            name: "failure",
            end: raise,
            late: .acknowledged,
            states: [.failure],
            exception: value,
            hasTraceback: true,
            sent: ["clean"],
            failsChain: true
        ),
        Row(
            name: "failure, not acknowledged",
            end: raise,
            options: .init(acksOnFailure: false, acksOnTimeout: true),
            late: .rejected,
            states: [.failure],
            exception: value,
            hasTraceback: true,
            sent: ["clean"],
            failsChain: true
        ),
        Row(name: "ignore", end: { _ in throw Ignore() }, late: .acknowledged, states: []),
        Row(
            name: "reject",
            end: { _ in throw Reject("no") },
            late: .rejected,
            states: [.failure],
            exception: ExceptionInfo(type: "Reject", module: "celery.exceptions", arguments: ["no", false]),
            sent: ["clean"],
            failsChain: true
        ),
        Row(
            name: "reject with requeueing",
            end: { _ in throw Reject("later", requeue: true) },
            late: .requeued,
            states: [],
            lateStates: [.success]
        ),
        Row(
            name: "soft limit",
            end: wait,
            options: .init(softTimeLimit: .milliseconds(20)),
            late: .acknowledged,
            states: [.failure],
            exception: ExceptionInfo(type: "SoftTimeLimitExceeded", module: "billiard.exceptions"),
            hasTraceback: true,
            sent: ["clean"],
            failsChain: true
        ),
        Row(
            name: "hard limit",
            end: wait,
            options: .init(acksOnFailure: false, acksOnTimeout: true, timeLimit: .milliseconds(500)),
            late: .acknowledged,
            states: [.failure],
            exception: ExceptionInfo(type: "TimeLimitExceeded", module: "billiard.exceptions", arguments: [0.5]),
            sent: ["clean"],
            failsChain: true
        ),
        Row(
            name: "hard limit, not acknowledged",
            end: wait,
            options: .init(acksOnFailure: true, acksOnTimeout: false, timeLimit: .milliseconds(500)),
            late: .requeued,
            states: [.failure],
            lateStates: [.failure, .success],
            exception: ExceptionInfo(type: "TimeLimitExceeded", module: "billiard.exceptions", arguments: [0.5]),
            sent: ["clean"],
            failsChain: true
        ),
        Row(
            name: "result not encodable",
            end: { _ in .null },
            late: .acknowledged,
            states: [.failure],
            exception: ExceptionInfo(type: "EncodeError", module: "kombu.exceptions"),
            hasTraceback: true,
            sent: ["clean"],
            failsChain: true
        ),
    ]

    private struct Unencodable: Codable, Sendable {
        init() {}
        init(from decoder: any Decoder) throws {}
        func encode(to encoder: any Encoder) throws {
            throw EncodingError.invalidValue(
                self,
                EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "never")
            )
        }
    }

    /// The name of a row's task.
    private static func task(_ index: Int) -> String { "proj.end\(index)" }

    /// Registers all rows' tasks, each with its options as changed by the closure.
    private static func register(
        _ tasks: inout TaskRegistry,
        change: (inout TaskRegistrationOptions) -> Void = { _ in }
    ) {
        for (index, row) in rows.enumerated() {
            var options = row.options
            change(&options)
            if row.exception?.type == "EncodeError" {
                tasks.register(task(index), options: options) { (context: TaskContext) -> Unencodable in Unencodable() }
                continue
            }
            tasks.registerUntyped(task(index), options: options) { context, _, _ in
                if context.deliveryInfo.redelivered { return "again" }
                return try await row.end(context)
            }
        }
    }

    @Test("settle, store and send what Celery does", arguments: [AcknowledgementMode.early, .late])
    func rowsHold(_ acks: AcknowledgementMode) async throws {
        try await OutcomeHarness.run { tasks in
            Self.register(&tasks) { $0.acks = acks }
        } _: { harness in
            for (index, row) in Self.rows.enumerated() {
                try await check(row, Self.task(index), isLate: acks == .late, harness)
            }
        }
    }

    private func check(_ row: Row, _ task: String, isLate: Bool, _ harness: OutcomeHarness) async throws {
        let other = TaskOptions(queue: OutcomeHarness.other)
        let links = TaskOptions(
            link: [Signature("done", options: other)],
            linkError: [Signature("clean", options: other)]
        )
        let (id, settled) = try await harness.settled(task, options: links)
        #expect(settled == (isLate ? row.late : .acknowledged), "\(row.name)")
        let states = isLate ? row.lateStates ?? row.states : row.states
        try await eventually("all results of \(row.name)") { try harness.states(of: id).count >= states.count }
        #expect(try harness.states(of: id) == states, "\(row.name)")
        if let exception = row.exception {
            let result = try #require(try harness.base.results(of: id).first)
            #expect(result.exception?.type == exception.type)
            #expect(result.exception?.module == exception.module)
            if exception.type != "EncodeError" { #expect(result.exception?.arguments == exception.arguments) }
            #expect((result.traceback != nil) == row.hasTraceback, "\(row.name)")
        }
        let sent = row.sent + (isLate && row.late == .requeued ? ["done"] : [])
        try await eventually("what follows \(row.name)") {
            harness.broker.messages(in: OutcomeHarness.other).count >= sent.count
        }
        #expect(try harness.takeSent().map(\.headers.task) == sent, "\(row.name)")
    }

    @Test("tell the steps of a chain that will never run of a failure, and of nothing else")
    func chains() async throws {
        try await OutcomeHarness.run { tasks in
            Self.register(&tasks)
        } _: { harness in
            let step = Signature("next", options: TaskOptions(queue: OutcomeHarness.other))
            for (index, row) in Self.rows.enumerated() {
                let before = harness.broker.messages(in: WorkerHarness.replies).count
                let ended = harness.endedCount
                let last = try harness.base.send(Chain([Signature(Self.task(index)), step, step]).signature)
                try await eventually("the end of \(row.name)") { harness.endedCount > ended }
                if row.failsChain {
                    let result = try await harness.base.result(of: last)
                    #expect(result.state == .failure, "\(row.name)")
                    #expect(result.exception?.type == row.exception?.type, "\(row.name)")
                    try await eventually("three results of \(row.name)") {
                        harness.broker.messages(in: WorkerHarness.replies).count == before + 3
                    }
                } else {
                    #expect(try harness.states(of: last).isEmpty, "\(row.name)")
                }
                let isSuccess = row.states == [.success]
                #expect(try harness.takeSent().map(\.headers.task) == (isSuccess ? ["next"] : []), "\(row.name)")
            }
        }
    }

    @Test("store nothing where results are ignored, apart from errors that are to be stored", arguments: [false, true])
    func ignored(_ storesErrors: Bool) async throws {
        try await OutcomeHarness.run { tasks in
            Self.register(&tasks) { $0.storeErrorsEvenIfIgnored = storesErrors }
        } _: { harness in
            for (index, row) in Self.rows.enumerated() {
                let ended = harness.endedCount
                let id = try harness.base.send(Self.task(index), options: TaskOptions(ignoreResult: true))
                try await eventually("the end of \(row.name)") { harness.endedCount > ended }
                let expected = storesErrors && row.states == [.failure] ? [TaskState.failure] : []
                try await eventually("the errors of \(row.name)") { try harness.states(of: id).count >= expected.count }
                #expect(try harness.states(of: id) == expected, "\(row.name)")
            }
        }
    }

    @Test("a failure's own result comes first, then those of its chain, then the errbacks")
    func order() async throws {
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.end") { context, _, _ in try await Self.raise(context) }
        } _: { harness in
            let step = Signature("next")
            let clean = Signature("clean", options: TaskOptions(queue: WorkerHarness.replies))
            let chain = Chain([Signature("proj.end"), step]).signature
            let last = try harness.base.send(chain, options: TaskOptions(linkError: [clean]))
            try await eventually("all three") { harness.broker.messages(in: WorkerHarness.replies).count == 3 }
            let messages = harness.broker.messages(in: WorkerHarness.replies)
            #expect(messages[2].properties.headers?["task"] == "clean")
            #expect(messages[1].properties.correlationID == last)
            #expect(messages[0].properties.correlationID != last)
        }
    }

    @Test("an expected error is logged as information, without traceback; its result has one")
    func expected() async throws {
        let options = TaskRegistrationOptions(expectedErrors: [.named("ValueError")])
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.end", options: options) { context, _, _ in try await Self.raise(context) }
        } _: { harness in
            let (id, _) = try await harness.settled("proj.end")
            let result = try await harness.base.result(of: id)
            #expect(result.traceback?.hasSuffix("ValueError: boom\n") == true)
            let lines = harness.base.logs.lines.filter { $0.message.contains("raised") }
            #expect(lines.map(\.message) == ["Task proj.end[\(id)] raised expected: ValueError('boom')"])
            #expect(lines.map(\.level) == ["info"])
        }
    }

    @Test("a hard limit is logged in Celery's words")
    func hardLimitLog() async throws {
        let options = TaskRegistrationOptions(timeLimit: .milliseconds(500))
        try await OutcomeHarness.run { tasks in
            tasks.registerUntyped("proj.end", options: options) { context, _, _ in try await Self.wait(context) }
        } _: { harness in
            let (id, _) = try await harness.settled("proj.end")
            _ = try await harness.base.result(of: id)
            let text = "Hard time limit (0.5s) exceeded for proj.end[\(id)]"
            #expect(harness.base.logs.lines.contains { $0.message == text && $0.level == "error" })
        }
    }
}
