import AMQP
import Celery
import CeleryProtocol
import Synchronization

/// Outcomes of bodies.
extension Finisher {
    func succeed(_ run: TaskRun, _ value: JSONValue, runtime: Duration) async {
        do {
            try await sender.sendCallbacks(of: run, result: value)
            try await sender.sendChainStep(of: run, result: value)
        } catch {
            return await failToSend(run, error)
        }
        publishSuccess(of: run, value, runtime: runtime)
    }

    /// Publishes the result of a task whose followers are on their way.
    @inline(never)
    func publishSuccess(of run: TaskRun, _ value: JSONValue, runtime: Duration) {
        counters.succeeded.add()
        log.succeeded(run.request, value, runtime: runtime)
        guard run.request.wantsResult, let message = composer.message(of: run, .success, value) else {
            return settle(run.request, .ack)
        }
        results.post(message) { verdict in
            if case .failed(let error) = verdict, !error.isRecoverable { return self.replaceResult(of: run, error) }
            self.finishPost(verdict, run.request, .ack)
        }
    }

    /// The broker refuses the result, usually for its size: the caller gets a failure that says so instead.
    private func replaceResult(of run: TaskRun, _ error: AMQPError) {
        log.lost(run.request, error)
        let exception = ExceptionInfo(
            type: "EncodeError",
            module: "kombu.exceptions",
            arguments: [.string("the result could not be sent: \(error)")]
        )
        let traceback = Traceback.text(of: exception, task: run.request.task.name)
        post(composer.message(of: run, .failure, exception.json, traceback: traceback), of: run.request, then: .ack)
    }

    /// What follows the task cannot be sent: the caller has to know that the rest will not come.
    private func failToSend(_ run: TaskRun, _ error: CeleryError) async {
        if run.request.acksLate, error.isOutage {
            log.returned(run.request, error)
            return settle(run.request, .reject(requeue: true))
        }
        await fail(run, TaskOutcome.Failure(ExceptionInfo(sending: error), of: run.request.task), isOurs: true)
    }

    /// Fails a task.
    ///
    /// - Parameters:
    ///   - run: its run.
    ///   - failure: why.
    ///   - fixed: how the delivery is settled whatever the task's options say.
    ///   - isOurs: whether not the body but the worker has found the failure, so that the worker has to tell of it.
    func fail(
        _ run: TaskRun,
        _ failure: TaskOutcome.Failure,
        settling fixed: Settlement? = nil,
        isOurs: Bool = false
    ) async {
        counters.failed.add()
        log.failed(run.request, failure)
        if isOurs || failure.isTimeout { sendFailed(run, failure) }
        let task = run.request.task
        let acknowledges = failure.isTimeout ? task.acksOnTimeout : task.acksOnFailure
        let settlement = fixed ?? (acknowledges ? .ack : .reject(requeue: failure.isTimeout))
        await publish(failure, of: run, then: settlement)
    }

    /// Publishes a failure: the task's, then that of the steps that will never run, then the errbacks
    /// (`celery.backends.base.Backend.mark_as_failure`).
    private func publish(_ failure: TaskOutcome.Failure, of run: TaskRun, then settlement: Settlement) async {
        let request = run.request
        let result = failure.exception.json
        let own = request.wantsErrors ? composer.message(of: run, .failure, result, traceback: failure.traceback) : nil
        let steps = run.body.embed.chain.map { composer.messages(failing: $0, failure) } ?? []
        if steps.isEmpty, run.body.embed.errbacks?.isEmpty ?? true { return post(own, of: request, then: settlement) }
        let stepsAreLost = Gate<Bool>()
        let verdict = Gate<Settlement>()
        if let own {
            results.post(own) { verdict.open(self.settlement(after: $0, request, settlement)) }
        } else {
            verdict.open(settlement)
        }
        publish(steps, for: request) { stepsAreLost.open($0) }
        do {
            try await sender.sendErrbacks(of: run, except: failure.calledErrbacks)
        } catch {
            log.errbacksFailed(request, error)
        }
        let last = await verdict.wait()
        settle(request, await stepsAreLost.wait() ? .reject(requeue: true) : last)
    }

    func ignore(_ run: TaskRun) {
        counters.ignored.add()
        log.ignored(run.request)
        let isMissed = composer.collector.collects(run.request.replyTo) && !run.isReplaced.load(ordering: .relaxed)
        guard isMissed else { return settle(run.request, .ack) }
        // A chord would wait for it until its deadline.
        let exception = ExceptionInfo(type: "Ignore", module: "celery.exceptions", arguments: [])
        post(composer.message(of: run, .failure, exception.json), of: run.request, then: .ack)
    }

    /// Celery: `Reject` in `celery.worker.request.Request.on_failure`; without requeueing it counts as a failure.
    func reject(_ run: TaskRun, _ reject: Reject) async {
        counters.rejected.add()
        log.rejected(run.request, reject)
        guard !reject.requeue else { return settle(run.request, .reject(requeue: true)) }
        let failure = TaskOutcome.Failure(exception: .rejected(reason: reject.reason), traceback: nil)
        sendFailed(run, failure)
        await publish(failure, of: run, then: .reject(requeue: false))
    }

    private func sendFailed(_ run: TaskRun, _ failure: TaskOutcome.Failure) {
        signals.taskFailure.send(TaskSignal.Failure(run.invocation, failure), log.logger)
    }
}

extension CeleryError {
    /// Whether the broker could not be reached, so that the same may work later.
    var isOutage: Bool { code == .connection || code == .closed || code == .cancelled }
}

extension Embed {
    /// Whether a task follows a success.
    var hasFollowers: Bool { callbacks != nil || chain?.isEmpty == false }
}
