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
/// Errbacks always go out as tasks of their own with the failed task's id as the argument, Celery's form for a task that
/// the worker does not know; Celery runs some errbacks inside of the worker, depending on a Python function's parameters.
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
        await results.waitForRoom()
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
<<<<<<< HEAD
        let process = run.childProcess ?? ProcessIdentity.processID
=======
        let child = run.childProcess.load(ordering: .relaxed)
        let process = child == 0 ? ProcessIdentity.processID : child
>>>>>>> 7f6138230a01d27296c0e78abe1e89c4afe94449
        let meta: JSONValue = ["pid": .int(process), "hostname": .string(hostname)]
        postState(.started, meta: meta, of: run)
    }
}
<<<<<<< HEAD

// MARK: - Outcomes

extension Finisher {
    private func succeed(_ run: TaskRun, _ value: JSONValue, runtime: Duration) async {
        let embed = run.body.embed
        if embed.callbacks != nil || embed.chain?.isEmpty == false {
            do {
                try await sender.sendCallbacks(of: run, result: value)
                try await sender.sendChainStep(of: run, result: value)
            } catch {
                return await failToSend(run, error)
            }
        }
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

    /// - Parameter fixed: how the delivery is settled whatever the task's options say.
    private func fail(_ run: TaskRun, _ failure: TaskOutcome.Failure, settling fixed: Settlement? = nil) async {
        counters.failed.add()
        log.failed(run.request, failure)
        let task = run.request.task
        let acknowledges = failure.isTimeout ? task.acksOnTimeout : task.acksOnFailure
        let settlement = fixed ?? (acknowledges ? .ack : .reject(requeue: failure.isTimeout))
        let wantsResult = run.request.wantsResult || task.storesIgnoredErrors
        let result = failure.exception.json
        let own = wantsResult ? composer.message(of: run, .failure, result, traceback: failure.traceback) : nil
        let steps = run.body.embed.chain.map { composer.messages(failing: $0, failure) } ?? []
        let errbacks = run.body.embed.errbacks ?? []
        if steps.isEmpty, errbacks.isEmpty { return post(own, of: run.request, then: settlement) }
        let confirms = Countdown(steps.count)
        for step in steps {
            results.post(step) { verdict in
                self.answered(verdict, for: run.request, isFinal: true)
                confirms.decrement()
            }
        }
        do {
            try await sender.sendErrbacks(of: run)
        } catch {
            log.errbacksFailed(run.request, error)
        }
        await confirms.wait()
        post(own, of: run.request, then: settlement)
    }

    private func retry(_ run: TaskRun, _ retry: TaskOutcome.Retrial) async {
        let request = run.request
        let delay = retry.after ?? request.task.retryDelay
        let change = RetryRequest(
            args: retry.args,
            kwargs: retry.kwargs,
            countdown: retry.eta == nil ? delay : nil,
            eta: retry.eta.map { WireDate($0) },
            headers: budgetHeaders(run)
        )
        do {
            try await sender.sendRetry(of: run, change)
        } catch {
            return rejectRetry(run, error)
        }
        counters.retried.add()
        let cause = retry.cause?.exception
        let reason = RetryReason(delay: delay, eta: retry.eta, cause: cause)
        log.retried(request, reason)
        let message =
            request.wantsResult
            ? composer.message(
                of: run,
                .retry,
                cause?.json ?? .null,
                traceback: Traceback.text(of: reason.exception, task: request.task.name)
            ) : nil
        post(message, of: request, then: .ack)
    }

    /// What a retried task with a budget of time carries along.
    private func budgetHeaders(_ run: TaskRun) -> FieldTable {
        guard run.request.task.autoRetry?.budget != nil else { return [:] }
        let first = OutcomeRules.firstRun(
            run.request.envelope.headers,
            startedAt: Date().addingTimeInterval(-run.runtime.seconds)
        )
        return [OutcomeRules.firstRunHeader: .string(WireDate(first).text)]
    }

    private func ignore(_ run: TaskRun) {
        counters.ignored.add()
        log.ignored(run.request)
        settle(run.request, .ack)
    }

    private func reject(_ run: TaskRun, _ reject: Reject) {
        counters.rejected.add()
        log.rejected(run.request, reject)
        guard !reject.requeue else { return settle(run.request, .reject(requeue: true)) }
        let exception = ExceptionInfo.rejected(reason: reject.reason).json
        let message = run.request.wantsResult ? composer.message(of: run, .failure, exception) : nil
        post(message, of: run.request, then: .reject(requeue: false))
    }

    /// A late task goes back to its queue; the caller of an early one hears what Celery tells it.
    private func cancel(_ run: TaskRun) {
        if run.request.interruption.reason == .connectionLost { return cancelAfterLoss(run) }
        log.cancelled(run.request)
        guard !run.request.acksLate else { return settle(run.request, .reject(requeue: true)) }
        let exception = ExceptionInfo.cancelled.json
        let message = run.request.wantsResult ? composer.message(of: run, .retry, exception) : nil
        post(message, of: run.request, then: .ack)
    }

    /// The channel was lost: the message of the cancelled run comes back, and may run.
    private func cancelAfterLoss(_ run: TaskRun) {
        let request = run.request
        counters.cancelledRuns.add()
        log.cancelledAfterLoss(request)
        let exception = ExceptionInfo.cancelled.json
        let message = request.wantsResult ? composer.message(of: run, .retry, exception) : nil
        publish(message, for: request) {
            self.ledger.forget(request.delivery)
            self.intake.post(.runEnded(request.key, nil))
        }
    }

    /// Somebody has revoked the task and ended its run.
    private func revoke(_ run: TaskRun, signal: String) {
        log.terminated(run.request, signal: signal)
        let exception = ExceptionInfo.revoked("terminated").json
        let message = run.request.wantsResult ? composer.message(of: run, .revoked, exception) : nil
        post(message, of: run.request, then: .ack)
    }

    /// The process of the run has died.
    ///
    /// Celery: `celery.worker.request.Request.on_failure` of a `WorkerLostError`.
    private func lose(_ run: TaskRun, _ loss: TaskOutcome.WorkerLoss) async {
        let failure = TaskOutcome.Failure(exception: .workerLost(loss.reason), traceback: nil)
        // It must not come back, and where there is a dead-letter exchange it is worth a look.
        guard !loss.isPoisonous else { return await fail(run, failure, settling: .reject(requeue: false)) }
        let request = run.request
        guard request.acksLate, request.task.rejectsOnWorkerLost else { return await fail(run, failure) }
        log.lostProcess(request, loss.reason)
        settle(request, .reject(requeue: true))
    }

    /// What follows the task cannot be sent: the caller has to know that the rest will not come.
    private func failToSend(_ run: TaskRun, _ error: CeleryError) async {
        if run.request.acksLate, error.isOutage {
            log.returned(run.request, error)
            return settle(run.request, .reject(requeue: true))
        }
        await fail(run, TaskOutcome.Failure(ExceptionInfo(sending: error), task: run.request.task.name))
    }

    /// Celery: `Reject(exc, requeue=False)`.
    private func rejectRetry(_ run: TaskRun, _ error: CeleryError) {
        if run.request.acksLate, error.isOutage {
            log.returned(run.request, error)
            return settle(run.request, .reject(requeue: true))
        }
        reject(run, Reject("the retry could not be sent: \(error)"))
    }
}

// MARK: - Requests that do not run

extension Finisher {
    /// Discards a request whose expiry has passed.
    func expire(_ request: TaskRequest) {
        counters.expired.add()
        log.expired(request)
        discard(request, reason: "expired")
    }

    /// Discards a request that was revoked before it started.
    func revoke(_ request: TaskRequest, _ match: Revocations.Match) {
        counters.revoked.add()
        log.revoked(request, match)
        discard(request, reason: "revoked")
    }

    private func discard(_ request: TaskRequest, reason: String) {
        let wantsResult = request.wantsResult || request.task.storesIgnoredErrors
        let message = wantsResult ? composer.message(of: request.envelope, .revoked, .revoked(reason)) : nil
        publish(message, for: request) { self.ledger.settle(request.delivery, .ack) }
    }

    /// Refuses a request whose body cannot be read: it was not acknowledged yet.
    func refuse(_ request: TaskRequest, _ error: ProtocolError) {
        counters.rejected.add()
        log.refused(task: request.task.name, id: request.id, request.info, error)
        let message = composer.message(of: request.envelope, .failure, ExceptionInfo(error))
        publish(message, for: request) { self.ledger.settle(request.delivery, .reject(requeue: false)) }
    }

    /// Refuses a message whose headers cannot be read.
    func refuse(_ message: IncomingMessage, _ delivery: DeliveryID, _ error: ProtocolError) {
        counters.rejected.add()
        let (task, id) = ReceivedTask.identity(of: message.properties)
        log.refused(task: task, id: id, DeliveryInfo(message), error)
        let result = composer.message(refusing: message.properties, ExceptionInfo(error))
        publish(result, for: nil) { self.ledger.settle(delivery, .reject(requeue: false)) }
    }

    /// Refuses a task that nobody has registered, and fails the steps of its chain.
    func refuseUnknown(_ envelope: TaskEnvelope, _ delivery: DeliveryID, _ info: DeliveryInfo) {
        counters.rejected.add()
        log.unknown(envelope, info)
        let exception = ExceptionInfo.notRegistered(envelope.headers.task)
        if let chain = try? envelope.decodedBody().embed.chain {
            let failure = TaskOutcome.Failure(exception: exception, traceback: nil)
            for step in composer.messages(failing: chain, failure) { publish(step, for: nil) {} }
        }
        let message = composer.message(of: envelope, .failure, exception)
        publish(message, for: nil) { self.ledger.settle(delivery, .reject(requeue: false)) }
    }
}

// MARK: - Publishing and settling

extension Finisher {
    /// Posts a result where there is one, and settles the delivery of a late task when it is confirmed.
    private func post(_ message: OutgoingMessage?, of request: TaskRequest, then settlement: Settlement) {
        guard let message else { return settle(request, settlement) }
        results.post(message) { self.finishPost($0, request, settlement) }
    }

    private func finishPost(_ verdict: ConfirmPublisher.Verdict, _ request: TaskRequest, _ settlement: Settlement) {
        let isLost = answered(verdict, for: request, isFinal: true)
        // The task runs again rather than that its outcome vanishes.
        settle(request, isLost ? .reject(requeue: true) : settlement)
    }

    private func publish(
        _ message: OutgoingMessage?,
        for request: TaskRequest?,
        then done: @escaping @Sendable () -> Void
    ) {
        guard let message else { return done() }
        results.post(message) { verdict in
            self.answered(verdict, for: request, isFinal: true)
            done()
        }
    }

    /// Counts and logs what became of a result.
    ///
    /// True if an outage of the broker has lost it.
    @discardableResult
    private func answered(_ verdict: ConfirmPublisher.Verdict, for request: TaskRequest?, isFinal: Bool) -> Bool {
        switch verdict {
        case .confirmed:
            return false
        case .unroutable:
            counters.unroutableResults.add()
            warnUnroutable(request, isFinal: isFinal)
            return false
        case .failed(let error):
            counters.lostResults.add()
            log.lost(request, error)
            return error.isRecoverable
        }
    }

    private func warnUnroutable(_ request: TaskRequest?, isFinal: Bool) {
        guard isFinal else { return log.unroutable(request, isFinal: false, count: 1) }
        // A caller that is gone may have left thousands of tasks behind.
        guard let count = unroutable.note(request?.replyTo ?? "", now: .now) else { return }
        log.unroutable(request, isFinal: true, count: count)
    }

    /// Settles the delivery of a late task.
    ///
    /// If its channel is lost, the copy that comes back is settled in its place.
    private func settle(_ request: TaskRequest, _ settlement: Settlement) {
        guard request.acksLate else { return }
        if case .stale = ledger.settle(request, settlement) { intake.post(.runEnded(request.key, settlement)) }
    }
}

extension CeleryError {
    /// Whether the broker could not be reached, so that the same may work later.
    fileprivate var isOutage: Bool { code == .connection || code == .closed || code == .cancelled }
}

extension DeliveryInfo {
    /// Where a message came from.
    init(_ message: IncomingMessage) {
        // What a worker has handed over to the delay ladder comes back under a key that names the queue.
        let isDelayed = message.exchange.hasPrefix(DelayLadder.commonPrefix)
        let queue = isDelayed ? DelayHandover.queue(ofKey: message.routingKey) : nil
        self.init(
            exchange: queue == nil ? message.exchange : "",
            routingKey: queue ?? message.routingKey,
            priority: message.properties.priority,
            redelivered: message.redelivered
        )
    }
}
=======
>>>>>>> 7f6138230a01d27296c0e78abe1e89c4afe94449
