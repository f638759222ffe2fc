import CeleryProtocol

/// Executes bodies in a slot of the worker's own process.
///
/// Code inside of this process cannot be killed: limits and interruptions cancel the body, and a body that a hard limit
/// or a revoke does not end is abandoned.
struct InProcessExecutor: BodyExecutor {
    let services: TaskServices
    let slot: InProcessSlot
    /// Where bodies run that block their thread.
    let blocking: any TaskExecutor
    /// Called when a body has to end and was told so.
    let onDeadline: @Sendable (TaskRun, TaskOutcome) -> Void

    func execute(_ run: TaskRun, accept: @Sendable () -> Bool) async -> TaskOutcome? {
        guard accept() else { return nil }
        let request = run.request
        let limits = TimeLimits(request)
        slot.begin(run)
        request.interruption.onInterrupt { interrupt(run, $0, limits) }
        let alarms = limits.isEmpty ? [] : alarms(limits, request)
        let outcome = await outcome(of: run)
        for alarm in alarms { alarm.cancel() }
        request.interruption.end()
        guard slot.end(run) else { return nil }
        guard let reason = request.interruption.reason else { return outcome }
        return Self.outcome(of: run, interrupted: reason, limits) ?? outcome
    }

    private func outcome(of run: TaskRun) async -> TaskOutcome {
        let host = WorkerHost(run: run, services: services)
        guard run.request.task.isBlocking else { return await BodyRunner.run(run.invocation, host: host) }
        return await blockingOutcome(of: run, host: host)
    }

    @inline(never)
    private func blockingOutcome(of run: TaskRun, host: WorkerHost) async -> TaskOutcome {
        await withTaskExecutorPreference(blocking) { await BodyRunner.run(run.invocation, host: host) }
    }

    @inline(never)
    private func alarms(_ limits: TimeLimits, _ request: TaskRequest) -> [Alarm.Pending] {
        limits.alarms(interrupting: request, services.logger)
    }

    private func interrupt(_ run: TaskRun, _ reason: Interruption.Reason, _ limits: TimeLimits) {
        if let outcome = Self.outcome(of: run, interrupted: reason, limits) { onDeadline(run, outcome) }
        slot.cancel(run)
    }

    /// The outcome of a run that was interrupted for good, whatever its body makes of it; nil where the body decides.
    @inline(never)
    private static func outcome(
        of run: TaskRun,
        interrupted reason: Interruption.Reason,
        _ limits: TimeLimits
    ) -> TaskOutcome? {
        switch reason {
        case .hardLimit:
            let exception = ExceptionInfo.timeLimitExceeded(limits.hard ?? .zero)
            return .failure(TaskOutcome.Failure(exception, task: run.request.task.name, isTimeout: true))
        case .revoked(let signal): return .revoked(signal: signal)
        case .softLimit, .connectionLost, .shutdown: return nil
        }
    }
}
