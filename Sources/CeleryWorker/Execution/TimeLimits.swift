import CeleryProtocol
import Synchronization

/// The limits of one run.
///
/// Celery: the message's, else the task's, else the settings'.
struct TimeLimits: Sendable {
    let hard: Duration?
    let soft: Duration?

    init(_ request: TaskRequest) {
        hard = request.envelope.headers.hardLimit.duration ?? request.task.hardLimit
        soft = request.envelope.headers.softLimit.duration ?? request.task.softLimit
    }

    var isEmpty: Bool { hard == nil && soft == nil }
}

/// Runs a body as a task of its own that a limit can cancel.
///
/// Code inside of this process cannot be killed: both limits cancel the body. If it ends by an error after the soft
/// limit, it has failed by that limit; whatever it does after the hard limit, it has failed by the hard one.
struct LimitedRun: Sendable {
    private enum Passed: Sendable {
        case none
        case soft
        case hard
    }

    let limits: TimeLimits
    let executor: (any TaskExecutor)?
    /// Cancels the body when it opens.
    var cancellation: Gate<Void>?

    /// Runs the body.
    ///
    /// - Returns: its value, or the limit that has passed.
    /// - Throws: what the body throws.
    func run(
        task name: String,
        _ body: @escaping @Sendable () async throws -> JSONValue
    ) async throws -> TaskOutcome {
        let passed = LimitMark()
        let task = Task(executorPreference: executor) { try await body() }
        let alarms = [(limits.soft, LimitMark.Limit.soft), (limits.hard, .hard)].compactMap { duration, limit in
            duration.map {
                Alarm.after($0) {
                    passed.mark(limit)
                    task.cancel()
                }
            }
        }
        cancellation?.whenOpen { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        for alarm in alarms { alarm.cancel() }
        switch (passed.limit, result) {
        case (.hard, _):
            let exception = ExceptionInfo.timeLimitExceeded(limits.hard ?? .zero)
            return .failure(TaskOutcome.Failure(exception, task: name, isTimeout: true))
        case (.soft, .failure(let error)) where error is CancellationError:
            return .failure(TaskOutcome.Failure(.softTimeLimitExceeded, task: name))
        case (_, .success(let value)):
            return .success(value)
        case (_, .failure(let error)):
            throw error
        }
    }
}

/// Which limit has passed last.
private final class LimitMark: Sendable {
    enum Limit: Sendable {
        case soft
        case hard
    }

    private let state = Mutex<Limit?>(nil)

    var limit: Limit? { state.withLock { $0 } }

    func mark(_ limit: Limit) { state.withLock { $0 = limit } }
}
