import Celery
import CeleryProtocol
import Logging

/// Calls the body of a task and says how it ended: the same in the worker's process and in a child.
enum BodyRunner {
    /// Runs the body to its end.
    static func run(_ invocation: Invocation, host: any TaskHost) async -> TaskOutcome {
        let context = TaskContext(invocation: invocation, host: host)
        do {
            return .success(try await call(context))
        } catch {
            return OutcomeRules(invocation, start: context.start).outcome(of: error)
        }
    }

    private static func call(_ context: TaskContext) async throws -> JSONValue {
        try await withLogger(context.logger) { _ in
            try await context.invocation.task.body(context, context.args, context.kwargs)
        }
    }
}
