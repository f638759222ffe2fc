import Celery
import Logging

/// Ends the worker when a body that was abandoned goes on for too long: nothing else gets its thread and memory back.
struct AbandonmentWatch: Sendable {
    /// How long such a body may go on; nil for ever.
    let limit: Duration?
    /// Opens when it has gone on for longer.
    let failure: Gate<CeleryError>
    let counters: WorkerCounters
    let logger: Logger

    /// Takes note of an abandoned run.
    func watch(_ run: AbandonedRun) {
        counters.abandoned.add()
        logger.error("Task \(run.request.label) ignores that it was cancelled: its slot is given to others")
        guard let limit else { return }
        Alarm.after(limit) { end(run) }
    }

    private func end(_ run: AbandonedRun) {
        guard run.isStuck else { return }
        logger.critical("Task \(run.request.label) was abandoned and still runs: the worker has to be started again")
        failure.open(CeleryError(.taskAbandoned, "a task that was abandoned still runs: \(run.request.label)"))
    }
}
