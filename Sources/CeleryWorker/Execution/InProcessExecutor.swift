import CeleryProtocol

/// Executes bodies in a slot of the worker's own process.
///
/// Code inside of this process cannot be killed: limits and interruptions cancel the body, and a body that a hard limit
/// or a revoke does not end is abandoned.
///
/// A class, since it is part of several frames of every slot.
final class InProcessExecutor: BodyExecutor {
    private let services: TaskServices
    private let slot: InProcessSlot
    private let blocking: any TaskExecutor
    private let onDeadline: @Sendable (TaskRun, TaskOutcome) -> Void

    /// Makes the executor of a slot.
    ///
    /// - Parameters:
    ///   - services: what running tasks use.
    ///   - slot: the slot.
    ///   - blocking: where bodies run that block their thread.
    ///   - onDeadline: called when a body has to end and was told so.
    init(
        services: TaskServices,
        slot: InProcessSlot,
        blocking: any TaskExecutor,
        onDeadline: @escaping @Sendable (TaskRun, TaskOutcome) -> Void
    ) {
        self.services = services
        self.slot = slot
        self.blocking = blocking
        self.onDeadline = onDeadline
    }

    func execute(_ run: TaskRun, accept: @Sendable () -> Bool) async -> TaskOutcome? {
        guard accept() else { return nil }
        let alarms = begin(run)
        let outcome = await outcome(of: run)
        return end(run, alarms, outcome)
    }

    // What is done before and after the body is kept out of line: its room would be part of the frame of every running task.

    @inline(never)
    private func begin(_ run: TaskRun) -> [Alarm.Pending] {
        let request = run.request
        let limits = TimeLimits(request)
        slot.begin(run)
        request.interruption.onInterrupt { self.interrupt(run, $0, limits) }
        return limits.isEmpty ? [] : limits.alarms(interrupting: request, services.logger)
    }

    /// The outcome that counts; nil if the slot was abandoned meanwhile.
    @inline(never)
    private func end(_ run: TaskRun, _ alarms: [Alarm.Pending], _ outcome: TaskOutcome) -> TaskOutcome? {
        for alarm in alarms { alarm.cancel() }
        let request = run.request
        request.interruption.end()
        guard slot.end(run) else { return nil }
        guard let reason = request.interruption.reason else { return outcome }
        return Self.outcome(of: run, interrupted: reason, TimeLimits(request)) ?? outcome
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
