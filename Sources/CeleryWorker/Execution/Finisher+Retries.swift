import AMQP
import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Synchronization

/// Runs that are tried again, by the task's wish or by the worker's.
extension Finisher {
    func retry(_ run: TaskRun, _ retry: TaskOutcome.Retrial) async {
        let request = run.request
        let reason = RetryReason(retry, task: request.task)
        let change = RetryRequest(
            args: retry.args,
            kwargs: retry.kwargs,
            countdown: retry.eta == nil ? reason.delay : nil,
            eta: retry.eta.map { WireDate($0) },
            queue: retry.options.queue,
            timeLimit: retry.options.timeLimit,
            softTimeLimit: retry.options.softTimeLimit,
            priority: retry.options.priority,
            headers: budgetHeaders(run, retry.options.headers)
        )
        do {
            try await sender.sendRetry(of: run, change)
        } catch {
            return await rejectRetry(run, error)
        }
        counters.retried.add()
        log.retried(request, reason)
        let cause = reason.cause?.json ?? .null
        let traceback = Traceback.text(of: reason.exception, task: request.task.name)
        let message = request.wantsErrors ? composer.message(of: run, .retry, cause, traceback: traceback) : nil
        post(message, of: request, then: .ack)
    }

    /// What a retried task with a budget of time carries along.
    private func budgetHeaders(_ run: TaskRun, _ others: FieldTable = [:]) -> FieldTable {
        guard run.request.task.autoRetry?.budget != nil else { return others }
        var headers = others
        let first = OutcomeRules.firstRun(
            run.request.envelope.headers,
            startedAt: Date().addingTimeInterval(-run.runtime.seconds)
        )
        headers[OutcomeRules.firstRunHeader] = .string(WireDate(first).text)
        return headers
    }

    /// Celery: `Reject(exc, requeue=False)`.
    private func rejectRetry(_ run: TaskRun, _ error: CeleryError) async {
        if run.request.acksLate, error.isOutage {
            log.returned(run.request, error)
            return settle(run.request, .reject(requeue: true))
        }
        await reject(run, Reject("the retry could not be sent: \(error)"))
    }

    /// The process of the run has died.
    ///
    /// Celery: `celery.worker.request.Request.on_failure` of a `WorkerLostError`. The guard against poison is ours.
    func lose(_ run: TaskRun, _ loss: TaskOutcome.WorkerLoss) async {
        let request = run.request
        let failure = TaskOutcome.Failure(exception: .workerLost(loss.reason), traceback: nil)
        // It must not come back, and where there is a dead-letter exchange it is worth a look.
        if loss.isPoisonous { return await fail(run, failure, settling: .reject(requeue: false), isOurs: true) }
        var isExhausted = false
        if request.task.retriesOnWorkerLost {
            isExhausted = request.task.maxRetries.map { request.envelope.headers.retries >= $0 } ?? false
            // Where the retry cannot be sent, it goes on as without the option.
            if !isExhausted, await retryLost(run, failure) { return }
        }
        guard request.acksLate, request.task.rejectsOnWorkerLost, !isExhausted else {
            return await fail(run, failure, isOurs: true)
        }
        log.lostProcess(request, loss.reason)
        settle(request, .reject(requeue: true))
    }

    /// Sends a task again whose process has died (`celery.worker.request.Request._retry_worker_lost`); false if that fails.
    private func retryLost(_ run: TaskRun, _ failure: TaskOutcome.Failure) async -> Bool {
        let request = run.request
        let delay = request.task.retryDelay
        do {
            let change = RetryRequest(countdown: delay, headers: budgetHeaders(run))
            try await sender.sendRetry(of: run, change, isChild: false)
        } catch {
            log.lostRetryFailed(request, error)
            return false
        }
        counters.retried.add()
        let reason = RetryReason(delay: delay, eta: nil, cause: failure.exception)
        log.retried(request, reason)
        sendRetried(run, reason.text, failure.exception)
        let traceback = Traceback.text(of: failure.exception, task: request.task.name)
        let message =
            request.wantsErrors ? composer.message(of: run, .retry, failure.exception.json, traceback: traceback) : nil
        post(message, of: request, then: .ack)
        return true
    }

    private func sendRetried(_ run: TaskRun, _ reason: String, _ exception: ExceptionInfo?) {
        signals.taskRetry.send(TaskSignal.Retry(run.invocation, reason: reason, exception), log.logger)
    }
}

/// Runs that others have ended.
extension Finisher {
    /// A late task goes back to its queue; the caller of an early one hears what Celery tells it.
    func cancel(_ run: TaskRun) {
        let request = run.request
        sendRetried(run, "cancelled", nil)
        if request.interruption.reason == .connectionLost {
            return cancelAfterLoss(run, ExceptionInfo.cancelled.json)
        }
        log.cancelled(request)
        guard !request.acksLate else { return settle(request, .reject(requeue: true)) }
        guard request.wantsErrors, isFirstReport(of: request) else { return settle(request, .ack) }
        post(cancellation(of: request, run), of: request, then: .ack)
    }

    /// What the caller of an early task hears: Celery's state RETRY, though nobody runs it again.
    ///
    /// A chord, which would wait for more, hears the truth.
    private func cancellation(of request: TaskRequest, _ run: TaskRun? = nil) -> OutgoingMessage? {
        let isPart = composer.collector.collects(request.replyTo)
        let state: TaskState = isPart ? .revoked : .retry
        let exception: ExceptionInfo = isPart ? .revoked("terminated") : .cancelled
        if let run { return composer.message(of: run, state, exception.json) }
        return composer.message(of: request.envelope, state, exception)
    }

    private func isFirstReport(of request: TaskRequest) -> Bool {
        !request.isReportedCancelled.exchange(true, ordering: .relaxed)
    }

    /// A cold shutdown leaves a run behind that does not end: the caller of an early task hears what Celery tells it.
    ///
    /// A late one goes back when the connection is closed.
    func abandon(_ request: TaskRequest) {
        log.cancelled(request)
        guard !request.acksLate, request.wantsErrors, isFirstReport(of: request) else { return }
        publish([cancellation(of: request)].compactMap(\.self), for: request) { _ in }
    }

    /// The channel was lost: the message of the cancelled run comes back, and may run.
    private func cancelAfterLoss(_ run: TaskRun, _ exception: JSONValue) {
        let request = run.request
        counters.cancelledRuns.add()
        log.cancelledAfterLoss(request)
        let message = request.wantsErrors ? composer.message(of: run, .retry, exception) : nil
        publish([message].compactMap(\.self), for: request) { _ in
            self.ledger.forget(request.delivery)
            self.intake.post(.runEnded(request.key, nil))
        }
    }

    /// Somebody has revoked the task and ended its run.
    func revoke(_ run: TaskRun, signal: String) {
        let request = run.request
        log.terminated(request, signal: signal)
        signals.taskRevoked.send(TaskSignal.Revoked(request, signal: signal, isExpired: false), log.logger)
        let exception = ExceptionInfo.revoked("terminated")
        let own = request.wantsErrors ? composer.message(of: run, .revoked, exception.json) : nil
        publish(composer.messages(revoking: run.body.embed.chain ?? [], exception), for: nil) { isLost in
            self.post(own, of: request, then: isLost ? .reject(requeue: true) : .ack)
        }
    }
}
