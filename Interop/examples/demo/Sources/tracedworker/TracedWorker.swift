import Celery
import CeleryCommandLine
import CeleryHealth
import CeleryTracing
import CeleryWorker
import FoundationEssentials
import Journal

/// A worker whose runs are traced: each span becomes a line of JSON in the file that SPANS names.
@main
struct TracedWorker: CeleryApplication {
    static let name = "tracedworker"
    static let healthEndpoint: (any HealthEndpoint.Type)? = HealthServer.self

    static func register(_ tasks: inout TaskRegistry) throws {
        let journal = Journal(path: ProcessInfo.processInfo.environment["SPANS"] ?? "spans.journal")
        tasks.trace(by: LineTracer { journal?.write($0) })
        // Sends a task to another queue, whose worker may be written in another language.
        tasks.register("traced.relay", arguments: "task", "queue", "value") {
            (context: TaskContext, task: String, queue: String, value: Int) in
            try await context.send(task, args: [.int(value + 1)], options: TaskOptions(queue: queue))
        }
        tasks.register("traced.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("traced.flaky", arguments: "times") { (context: TaskContext, times: Int) -> Int in
            if context.retries < times {
                throw context.retry(after: .zero, cause: TaskError(type: "KeyError", "again"))
            }
            return context.retries
        }
        tasks.register("traced.fail", arguments: "text") { (text: String) -> Int in
            throw TaskError(type: "ValueError", text)
        }
    }
}
