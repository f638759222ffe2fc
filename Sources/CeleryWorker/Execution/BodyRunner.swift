import Celery
import CeleryProtocol
import Logging

/// Calls the body of a task and says how it ended: the same in the worker's process and in a child.
///
/// What is needed only after the body is kept out of line, since its room would be part of the frame of every running task.
enum BodyRunner {
    /// Runs the body to its end, with the middlewares around it and the signals before and behind it.
    static func run(_ invocation: Invocation, host: any TaskHost) async -> TaskOutcome {
        let context = TaskContext(invocation: invocation, host: host)
        let hooks = invocation.task.hooks
        let outcome = hooks.watchesRuns ? await watchedOutcome(context, hooks) : await outcome(context)
        guard case .failure(let failure) = outcome, InlineErrbacks.areNamed(by: invocation) else { return outcome }
        return await callErrbacks(context, failure)
    }

    /// Calls what is told of the failure in this process, unless a hard limit or a revoke decides instead of the body.
    @inline(never)
    private static func callErrbacks(_ context: TaskContext, _ failure: TaskOutcome.Failure) async -> TaskOutcome {
        switch context.invocation.interruption.reason {
        case .hardLimit, .revoked: .failure(failure)
        default: .failure(await InlineErrbacks.call(context, failure))
        }
    }

    @inline(never)
    private static func watchedOutcome(_ context: TaskContext, _ hooks: WorkerHooks) async -> TaskOutcome {
        hooks.signals.taskPrerun.send(context, context.logger)
        let outcome = await outcome(context)
        tell(hooks.signals, of: outcome, context)
        return outcome
    }

    private static func outcome(_ context: TaskContext) async -> TaskOutcome {
        do {
            return .success(try await call(context))
        } catch {
            return outcome(context, of: error)
        }
    }

    @inline(never)
    private static func outcome(_ context: TaskContext, of error: any Error) -> TaskOutcome {
        OutcomeRules(context.invocation, start: context.start).outcome(of: error)
    }

    private static func call(_ context: TaskContext) async throws -> JSONValue {
        let middlewares = context.invocation.task.hooks.middlewares
        return try await withLogger(context.logger) { _ in
            if middlewares.isEmpty { return try await callBody(context) }
            return try await pass(context, through: middlewares[...])
        }
    }

    private static func pass(
        _ context: TaskContext,
        through rest: ArraySlice<any TaskMiddleware>
    ) async throws -> JSONValue {
        guard let first = rest.first else {
            // A middleware may have changed the logger.
            return try await withLogger(context.logger) { _ in try await callBody(context) }
        }
        return try await first.run(context) { try await pass($0, through: rest.dropFirst()) }
    }

    private static func callBody(_ context: TaskContext) async throws -> JSONValue {
        try await context.invocation.task.body(context, context.args, context.kwargs)
    }

    /// Tells handlers how the body has ended, unless a hard limit or a revoke decides instead of it.
    @inline(never)
    private static func tell(_ signals: SignalTable, of outcome: TaskOutcome, _ context: TaskContext) {
        let invocation = context.invocation
        var outcome = outcome
        switch invocation.interruption.reason {
        case .hardLimit: outcome = .failure(hardLimitFailure(context))
        case .revoked(let signal): outcome = .revoked(signal: signal)
        default: tellOutcome(signals, outcome, context)
        }
        signals.taskPostrun.send(TaskSignal.Postrun(context, outcome), context.logger)
    }

    private static func hardLimitFailure(_ context: TaskContext) -> TaskOutcome.Failure {
        TaskOutcome.Failure(
            .timeLimitExceeded(context.timeLimit ?? .zero),
            task: context.invocation.task.name,
            isTimeout: true
        )
    }

    private static func tellOutcome(_ signals: SignalTable, _ outcome: TaskOutcome, _ context: TaskContext) {
        let invocation = context.invocation
        switch outcome {
        case .success(let value):
            let runtime = context.start.duration(to: .now)
            signals.taskSuccess.send(
                TaskSignal.Success(context: context, result: value, runtime: runtime),
                context.logger
            )
        case .failure(let failure):
            signals.taskFailure.send(TaskSignal.Failure(invocation, failure), context.logger)
        case .retry(let retry):
            let reason = RetryReason(retry, task: invocation.task)
            signals.taskRetry.send(TaskSignal.Retry(invocation, reason: reason.text, reason.cause), context.logger)
        case .ignore, .reject, .cancelled, .revoked, .lost:
            break
        }
    }
}
