import CeleryProtocol

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
    func alarms(interrupting interruption: Interruption) -> [Alarm.Pending] {
        let limits = [(soft, Interruption.Reason.softLimit), (hard, .hardLimit)]
        return limits.compactMap { duration, reason in
            duration.map { Alarm.after($0) { interruption.interrupt(reason) } }
        }
    }
}
