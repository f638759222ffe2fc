import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import Synchronization
import Testing

@Suite("Worker: errbacks that are called where the task failed")
struct ErrbackTests {
    /// What errbacks were told.
    private final class Reports: Sendable {
        private let reports = Mutex<[(report: FailureReport, context: TaskContext)]>([])
        var all: [(report: FailureReport, context: TaskContext)] { reports.withLock { $0 } }
        func add(_ report: FailureReport, _ context: TaskContext) { reports.withLock { $0.append((report, context)) } }
        func removeAll() { reports.withLock { $0.removeAll() } }
    }

    private static func run(_ body: (WorkerHarness, Reports) async throws -> Void) async throws {
        let reports = Reports()
        // A context refers to its worker, and the worker's errback to the reports: a circle.
        defer { reports.removeAll() }
        try await WorkerHarness.run(
            register: { tasks in
                tasks.register("proj.fail") { (context: TaskContext) -> Int in throw TaskError(type: "ValueError", "x")
                }
                tasks.register("proj.fine") { (context: TaskContext) in 1 }
                tasks.register("proj.exhausted", options: .init(maxRetries: 0)) { (context: TaskContext) -> Int in
                    throw Retry(after: .zero, cause: TaskError(type: "KeyError", "k"))
                }
                tasks.register("proj.slow", options: .init(softTimeLimit: .milliseconds(20))) {
                    (context: TaskContext) in try await Task.sleep(for: .seconds(600))
                }
                tasks.registerErrback("proj.on_error") { report, context in
                    try Task.checkCancellation()
                    reports.add(report, context)
                }
                tasks.registerErrback("proj.clumsy") { _, _ in throw TaskError(type: "RuntimeError", "in the errback") }
            },
            { harness in
                harness.broker.declareQueue(QueueDeclaration(name: "other"))
                try await body(harness, reports)
            }
        )
    }

    @Test("gets id, exception, traceback and the stored arguments; no message is sent")
    func inline() async throws {
        try await Self.run { harness, reports in
            let errback = Signature("proj.on_error", args: ["stored", 1], kwargs: ["k": 2])
            let id = try harness.send("proj.fail", options: TaskOptions(linkError: [errback]))
            _ = try await harness.result(of: id)
            let (report, context) = try #require(reports.all.first)
            #expect(reports.all.count == 1)
            #expect(report.id == id)
            #expect(report.task == "proj.fail")
            #expect(report.failure?.type == "ValueError")
            #expect(report.failure?.message == "x")
            #expect(report.traceback?.contains("ValueError: x") == true)
            #expect(report.args == ["stored", 1])
            #expect(report.kwargs == ["k": 2])
            #expect(context.id == id)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.started == 1)
        }
    }

    @Test(
        "is called for a failure only: not after a success, but where retries are used up or the soft limit has passed"
    )
    func whichFailures() async throws {
        try await Self.run { harness, reports in
            let options = TaskOptions(linkError: [Signature("proj.on_error")])
            _ = try await harness.result(of: harness.send("proj.fine", options: options))
            #expect(reports.all.isEmpty)
            _ = try await harness.result(of: harness.send("proj.exhausted", options: options))
            _ = try await harness.result(of: harness.send("proj.slow", options: options))
            #expect(reports.all.map { $0.report.failure?.type } == ["KeyError", "SoftTimeLimitExceeded"])
        }
    }

    @Test("others of the same task are sent; an errback's own error is only logged")
    func mixed() async throws {
        try await Self.run { harness, reports in
            let sent = Signature("elsewhere.on_error", options: TaskOptions(queue: "other"))
            let errbacks = [Signature("proj.clumsy"), sent, Signature("proj.on_error")]
            let id = try harness.send("proj.fail", options: TaskOptions(linkError: errbacks))
            let result = try await harness.result(of: id)
            #expect(result.state == .failure)
            #expect(try ExceptionInfo(decoding: result.result).type == "ValueError")
            #expect(reports.all.count == 1)
            try await eventually("the message") { harness.broker.messages(in: "other").count == 1 }
            let message = try #require(harness.broker.takeMessages(from: "other").first)
            let task = try TaskMessage.decode(properties: message.properties, body: message.body)
            #expect(task.headers.task == "elsewhere.on_error")
            #expect(task.body.args == [.string(id)])
            #expect(harness.logs.messages.contains("Errback 'proj.clumsy' raised an exception"))
            try await harness.queueIsEmpty()
        }
    }

    @Test("runs as a task where it comes as a message, with the failed task's id")
    func asTask() async throws {
        try await Self.run { harness, reports in
            let sent = TaskOptions(parentID: "failed")
            let plain = try harness.send("proj.on_error", ["failed", "stored"], options: sent)
            #expect(try await harness.result(of: plain).state == .success)
            let immutable = try harness.send("proj.on_error", ["stored"], options: sent)
            _ = try await harness.result(of: immutable)
            _ = try await harness.result(of: harness.send("proj.on_error", ["by hand"]))
            let nothing = try await harness.result(of: harness.send("proj.on_error"))
            #expect(try ExceptionInfo(decoding: nothing.result).type == "TypeError")
            #expect(reports.all.map { $0.report.id } == ["failed", "failed", "by hand"])
            #expect(reports.all.map { $0.report.args } == [["stored"], ["stored"], []])
            #expect(reports.all.allSatisfy { $0.report.failure == nil && $0.report.task == nil })
            #expect(reports.all.first?.context.id == plain)
            let clumsy = try await harness.result(of: harness.send("proj.clumsy", ["failed"]))
            #expect(clumsy.state == .failure)
        }
    }

    @Test("its name is taken")
    func names() throws {
        var registry = TaskRegistry()
        registry.registerErrback("proj.on_error") { _, _ in }
        registry.register("proj.on_error") { (id: String) in id }
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
