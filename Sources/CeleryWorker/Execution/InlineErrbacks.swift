import CeleryProtocol
import Logging

/// Calls the errbacks of a failed task that its own process knows (`celery.backends.base.Backend._call_task_errbacks`).
enum InlineErrbacks {
    /// Whether the invocation has an errback that is called where its body fails.
    static func areNamed(by invocation: Invocation) -> Bool {
        guard invocation.task.library.hasErrbacks, let errbacks = invocation.body.embed.errbacks else { return false }
        return errbacks.contains { errback(of: $0, invocation) != nil }
    }

    /// Calls them one after the other and answers the failure with their positions: the others are sent as tasks.
    ///
    /// The soft limit or the shutdown that has cancelled the body does not cancel them.
    static func call(_ context: TaskContext, _ failure: TaskOutcome.Failure) async -> TaskOutcome.Failure {
        guard Task.isCancelled else { return await callAll(context, failure) }
        return await Task { await callAll(context, failure) }.value
    }

    private static func callAll(_ context: TaskContext, _ failure: TaskOutcome.Failure) async -> TaskOutcome.Failure {
        let invocation = context.invocation
        var answered = failure
        for (index, json) in (invocation.body.embed.errbacks ?? []).enumerated() {
            guard let (wire, errback) = errback(of: json, invocation) else { continue }
            answered.calledErrbacks.append(index)
            do {
                try await errback(FailureReport(invocation, failure, errback: wire), context)
            } catch {
                let exception = ExceptionInfo(mapping: error)
                context.logger.error(
                    "Errback '\(wire.task.loggable)' raised an exception",
                    metadata: ["error": "\(exception.pythonRepr.loggable)"]
                )
            }
        }
        return answered
    }

    private static func errback(of json: JSONValue, _ invocation: Invocation) -> (SignatureWire, Errback)? {
        guard let wire = try? SignatureWire(decoding: json), wire.subtaskType == nil,
            let errback = invocation.task.library.errback(wire.task)
        else { return nil }
        return (wire, errback)
    }
}
