import CeleryProtocol
import Logging

/// The limits of one run.
///
/// Celery: the message's, else the task's, else the settings'.
struct TimeLimits: Sendable {
    let hard: Duration?
    let soft: Duration?

    init(_ request: TaskRequest) {
        self.init(request.envelope.headers, request.task)
    }

    init(_ invocation: Invocation) {
        self.init(invocation.envelope.headers, invocation.task)
    }

    private init(_ headers: TaskHeaders, _ task: WorkerTask) {
        hard = headers.hardLimit.duration ?? task.hardLimit
        soft = headers.softLimit.duration ?? task.softLimit
    }

    var isEmpty: Bool { hard == nil && soft == nil }

    /// Starts the clocks that interrupt the run; to be cancelled at its end.
    func alarms(interrupting request: TaskRequest, _ logger: Logger) -> [Alarm.Pending] {
        var alarms: [Alarm.Pending] = []
        if let soft {
            alarms.append(
                Alarm.after(soft) {
                    guard request.interruption.interrupt(.softLimit) else { return }
                    TaskLog(logger: logger).softLimitPassed(request, soft)
                }
            )
        }
        if let hard { alarms.append(Alarm.after(hard) { request.interruption.interrupt(.hardLimit) }) }
        return alarms
    }
}

extension Duration {
    /// The duration as a time limit: zero means none to Celery, and less cannot be meant.
    var asLimit: Duration? { self > .zero ? self : nil }
}
