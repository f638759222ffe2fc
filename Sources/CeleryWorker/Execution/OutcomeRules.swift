import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials

/// What an error means that a body has thrown: Celery's rules for retries, and ours for bodies that were cancelled.
///
/// It runs where the body ran: only there the error is a Swift value.
struct OutcomeRules {
    private let invocation: Invocation
    /// How long the body has run.
    private let runtime: Duration
    private let now: Date

    /// Makes the rules of a run that has just ended.
    init(_ invocation: Invocation, start: ContinuousClock.Instant) {
        self.init(invocation, runtime: start.duration(to: .now), now: Date())
    }

    init(_ invocation: Invocation, runtime: Duration, now: Date) {
        self.invocation = invocation
        self.runtime = runtime
        self.now = now
    }

    private var task: WorkerTask { invocation.task }
    private var headers: TaskHeaders { invocation.envelope.headers }

    /// How the run ended.
    func outcome(of error: any Error) -> TaskOutcome {
        switch invocation.interruption.reason {
        // Whatever the body makes of its cancellation: its message comes back from the broker.
        case .connectionLost: .cancelled
        // A library may have an error of its own for its cancellation; the message is still there.
        case .shutdown where Self.isCancellation(error) || (task.acksLate && !Self.isWish(error)): .cancelled
        case .softLimit where Self.isCancellation(error): outcome(ofThrown: TaskError.softTimeLimitExceeded)
        case nil, .shutdown, .softLimit, .hardLimit, .revoked: outcome(ofThrown: error)
        }
    }

    private static func isCancellation(_ error: any Error) -> Bool {
        if error is CancellationError { return true }
        guard let code = (error as? CeleryError)?.code else { return false }
        return code == .cancelled || code == .closed
    }

    /// Whether a body says by the error how it wants to end.
    private static func isWish(_ error: any Error) -> Bool { error is Retry || error is Ignore || error is Reject }

    private func outcome(ofThrown error: any Error) -> TaskOutcome {
        switch error {
        case let retry as Retry: return outcome(of: retry)
        case is Ignore: return .ignore
        case let reject as Reject: return .reject(reject)
        case let failure as ResultEncoding.Failure: return .failure(TaskOutcome.Failure(failure.error, of: task))
        default: break
        }
        if let rules = task.autoRetry, rules.applies(to: error) { return outcome(of: error, retriedBy: rules) }
        return .failure(TaskOutcome.Failure(error, of: task))
    }
}

// MARK: - Retries

extension OutcomeRules {
    /// The header that carries the start of the first run, where the retries of a task have a budget of time.
    static let firstRunHeader = "swcelery-first-run"

    /// When the first run started: this one, unless the message tells of an earlier one.
    static func firstRun(_ headers: TaskHeaders, startedAt start: Date) -> Date {
        guard let text = headers.custom[firstRunHeader]?.stringValue, let date = try? WireDate(parsing: text) else {
            return start
        }
        return min(date.date, start)
    }

    /// Celery: `celery.app.task.Task.retry`.
    private func outcome(of retry: Retry) -> TaskOutcome {
        let cause = retry.cause.map { TaskOutcome.Failure($0, of: task) }
        guard isAllowed(retry.max) else { return .failure(cause ?? exhausted(args: retry.args, kwargs: retry.kwargs)) }
        return .retry(
            TaskOutcome.Retrial(
                after: retry.after,
                eta: retry.eta,
                cause: cause,
                args: retry.args,
                kwargs: retry.kwargs,
                options: TaskOptions(
                    queue: retry.queue,
                    priority: retry.priority,
                    timeLimit: retry.timeLimit,
                    softTimeLimit: retry.softTimeLimit,
                    headers: retry.headers
                )
            )
        )
    }

    /// Celery: `celery.app.autoretry`.
    private func outcome(of error: any Error, retriedBy rules: AutoRetry) -> TaskOutcome {
        let failure = TaskOutcome.Failure(error, of: task)
        let delay = rules.delay(retries: headers.retries)
        guard isAllowed(rules.max), isWithin(rules.budget, delay ?? task.retryDelay) else { return .failure(failure) }
        return .retry(TaskOutcome.Retrial(after: delay, cause: failure))
    }

    private func isAllowed(_ max: Int?) -> Bool {
        guard let limit = max ?? task.maxRetries else { return true }
        return headers.retries < limit
    }

    /// Whether a retry after this delay starts within a budget of time.
    private func isWithin(_ budget: Duration?, _ delay: Duration) -> Bool {
        guard let budget else { return true }
        let first = Self.firstRun(headers, startedAt: now.addingTimeInterval(-runtime.seconds))
        return now.timeIntervalSince(first) + delay.seconds <= budget.seconds
    }

    private func exhausted(args: [JSONValue]?, kwargs: JSONObject?) -> TaskOutcome.Failure {
        let exception = ExceptionInfo.maxRetriesExceeded(
            name: task.name,
            id: headers.id,
            args: args ?? invocation.body.args,
            kwargs: kwargs ?? invocation.body.kwargs
        )
        return TaskOutcome.Failure(exception, of: task)
    }
}
