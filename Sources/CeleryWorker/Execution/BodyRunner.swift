import Celery
import CeleryProtocol
import Logging

/// Calls the body of a task and says how it ended: the same in the worker's process and in a child.
enum BodyRunner {
    /// Runs the body to its end.
    static func run(_ invocation: Invocation, host: any TaskHost) async -> TaskOutcome {
        do {
            return .success(try await call(invocation, host))
        } catch {
            return outcome(of: error, invocation)
        }
    }

    private static func call(_ invocation: Invocation, _ host: any TaskHost) async throws -> JSONValue {
        let context = TaskContext(invocation: invocation, host: host)
        return try await withLogger(host.logger(for: invocation.envelope)) { _ in
            try await invocation.task.body(context, invocation.body.args, invocation.body.kwargs)
        }
    }

    private static func outcome(of error: any Error, _ invocation: Invocation) -> TaskOutcome {
        if let outcome = outcome(ofInterrupted: invocation, error) { return outcome }
        switch error {
        case let retry as Retry: return .retry(TaskOutcome.Retrial(retry, task: invocation.task.name))
        case is Ignore: return .ignore
        case let reject as Reject: return .reject(reject)
        default: return .failure(TaskOutcome.Failure(error, task: invocation.task.name))
        }
    }

    /// What an error means that a body throws after it was interrupted; nil where the interruption does not count.
    private static func outcome(ofInterrupted invocation: Invocation, _ error: any Error) -> TaskOutcome? {
        switch invocation.interruption.reason {
        case nil, .hardLimit, .revoked: nil
        // Whatever the body makes of its cancellation: its message comes back from the broker.
        case .connectionLost: .cancelled
        case .shutdown where error is CancellationError: .cancelled
        case .softLimit where error is CancellationError:
            .failure(TaskOutcome.Failure(.softTimeLimitExceeded, task: invocation.task.name))
        case .shutdown, .softLimit: nil
        }
    }
}
