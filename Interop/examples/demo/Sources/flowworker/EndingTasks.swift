import Celery
import CeleryWorker

/// Tasks that fail, are retried, or end without an outcome.
enum EndingTasks {
    static func register(in tasks: inout TaskRegistry) {
        registerFailures(&tasks)
        registerRetries(&tasks)
        tasks.registerUntyped("flow.drop") { _, _, _ in throw Ignore() }
        tasks.registerUntyped("flow.refuse") { _, _, _ in throw Reject("not mine") }
    }

    private static func registerFailures(_ tasks: inout TaskRegistry) {
        tasks.registerUntyped("flow.fail") { _, _, kwargs in
            throw valueError(kwargs["text"]?.stringValue ?? "no luck")
        }
        tasks.register("flow.fail_on", arguments: "value") { (_: JSONValue) in throw valueError("on one argument") }
        tasks.registerUntyped("flow.fail_specially") { _, _, _ in
            throw TaskError(type: "FlowError", module: "proj.flows", arguments: ["special", 7, ["free": 0]])
        }
        tasks.registerUntyped("flow.quiet_failure", options: .init(ignoreResult: true)) { _, _, _ in
            throw valueError("quiet")
        }
    }

    private static func registerRetries(_ tasks: inout TaskRegistry) {
        tasks.register("flow.again", arguments: "value", Parameter("times", default: 2), options: .init(maxRetries: 5))
        {
            (context: TaskContext, value: JSONValue, times: Int) in
            if context.retries >= times { return value }
            throw context.retry(after: .milliseconds(100), cause: valueError("not yet"))
        }
        tasks.registerUntyped("flow.exhausted", options: .init(maxRetries: 1)) { context, _, _ in
            throw context.retry(after: .milliseconds(100), cause: valueError("never"))
        }
    }

    private static func valueError(_ text: String) -> TaskError { TaskError(type: "ValueError", text) }
}
