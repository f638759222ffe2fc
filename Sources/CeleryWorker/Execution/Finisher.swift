import Celery
import CeleryProtocol
import Logging
import Synchronization

/// Turns the outcome of a run into messages, and settles its delivery when they are confirmed.
///
/// After a success the callbacks go out first, then the chain's next step, then the result, and last the late
/// acknowledgement. After a failure the result goes out first, then those of the steps that will never run, then the
/// errbacks, and last the acknowledgement. A run that nothing follows frees its slot as soon as the result is posted: the
/// acknowledgement follows in the completion, where the connection reads.
///
/// Errbacks go out as tasks of their own with the failed task's id as the argument, apart from those that were called where
/// the body failed (`InlineErrbacks`).
final class Finisher: Sendable {
    let results: ConfirmPublisher
    let composer: ResultComposer
    let sender: TaskSender
    let ledger: DeliveryLedger
    let intake: Intake
    let counters: WorkerCounters
    let hostname: String
    let log: TaskLog
    let signals: SignalTable
    let unroutable: ReplyQueueWarnings

    /// Makes the finisher of a worker.
    init(
        results: ConfirmPublisher,
        composer: ResultComposer,
        sender: TaskSender,
        ledger: DeliveryLedger,
        intake: Intake,
        counters: WorkerCounters,
        hostname: String,
        log: TaskLog,
        signals: SignalTable
    ) {
        self.results = results
        self.composer = composer
        self.sender = sender
        self.ledger = ledger
        self.intake = intake
        self.counters = counters
        self.hostname = hostname
        self.log = log
        self.signals = signals
        unroutable = ReplyQueueWarnings()
    }

    /// Waits while too many results are unconfirmed.
    func waitForRoom() async { await results.waitForRoom() }

    /// Publishes the outcome of a run.
    func finish(_ run: TaskRun, _ outcome: TaskOutcome, runtime: Duration) async {
        if case .success(let value) = outcome, !run.body.embed.hasFollowers {
            publishSuccess(of: run, value, runtime: runtime)
        } else {
            await publish(outcome, of: run, runtime: runtime)
        }
        await results.waitForRoom()
    }

    /// Apart from the simple success, since its room would be part of the frame of each of thousands that wait for room.
    @inline(never)
    private func publish(_ outcome: TaskOutcome, of run: TaskRun, runtime: Duration) async {
        switch outcome {
        case .success(let value): await succeed(run, value, runtime: runtime)
        case .failure(let failure): await fail(run, failure)
        case .retry(let retry): await self.retry(run, retry)
        case .ignore: ignore(run)
        case .reject(let reject): await self.reject(run, reject)
        case .cancelled: cancel(run)
        case .revoked(let signal): revoke(run, signal: signal)
        case .lost(let loss): await lose(run, loss)
        }
    }

    /// Tells the caller of a state on the way to the outcome.
    ///
    /// Nothing waits for the confirm.
    func postState(_ state: TaskState, meta: JSONValue, of run: TaskRun) {
        guard let message = composer.message(of: run, state, meta) else { return }
        let request = run.request
        results.post(message) { self.answered($0, for: request, isFinal: false) }
    }

    /// Tells the caller that the task has started.
    func postStarted(_ run: TaskRun) {
        let process = run.childProcess ?? ProcessIdentity.processID
        let meta: JSONValue = ["pid": .int(process), "hostname": .string(hostname)]
        postState(.started, meta: meta, of: run)
    }
}
