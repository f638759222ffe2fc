import CeleryProtocol

/// Executes bodies in the worker's own process.
///
/// Code inside of this process cannot be killed: limits and interruptions cancel the body.
struct InProcessExecutor: BodyExecutor {
    let services: TaskServices
    let executor: (any TaskExecutor)?

    func execute(_ run: TaskRun, accept: @Sendable () -> Bool) async -> TaskOutcome? {
        guard accept() else { return nil }
        let limits = TimeLimits(run.request)
        let interruption = run.request.interruption
        let host = WorkerHost(run: run, services: services)
        let task = Task(executorPreference: executor) { await BodyRunner.run(run.invocation, host: host) }
        let log = TaskLog(logger: services.logger)
        interruption.onInterrupt { reason in
            if reason == .softLimit { log.softLimitPassed(run.request, limits.soft) }
            task.cancel()
        }
        let alarms = limits.alarms(interrupting: interruption)
        let outcome = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        for alarm in alarms { alarm.cancel() }
        interruption.end()
        switch interruption.reason {
        case .hardLimit:
            let exception = ExceptionInfo.timeLimitExceeded(limits.hard ?? .zero)
            return .failure(TaskOutcome.Failure(exception, task: run.request.task.name, isTimeout: true))
        case .revoked(let signal): return .revoked(signal: signal)
        default: return outcome
        }
    }
}
