import AMQP
import Celery
import CeleryProtocol

/// Requests that do not run.
extension Finisher {
    /// Discards a request whose expiry has passed.
    func expire(_ request: TaskRequest) {
        counters.expired.add()
        log.expired(request)
        discard(request, reason: "expired", isExpired: true)
    }

    /// Discards a request that was revoked before it started.
    func revoke(_ request: TaskRequest, _ match: Revocations.Match) {
        counters.revoked.add()
        log.revoked(request, match)
        discard(request, reason: "revoked", isExpired: false)
    }

    private func discard(_ request: TaskRequest, reason: String, isExpired: Bool) {
        signals.taskRevoked.send(TaskSignal.Revoked(request, signal: nil, isExpired: isExpired), log.logger)
        var messages = request.wantsErrors ? [composer.message(of: request.envelope, .revoked, .revoked(reason))] : []
        if let chain = try? request.envelope.decodedBody().embed.chain {
            messages += composer.messages(revoking: chain, .revoked(reason))
        }
        report(messages, for: request, of: request.delivery, then: .ack)
    }

    /// Whether the task's result counts for a chord that another result backend keeps.
    func isForeignChord(_ run: TaskRun) -> Bool {
        run.body.embed.chord.map { !$0.isNull } == true && !composer.collector.collects(run.request.replyTo)
    }

    /// Refuses a part of a chord of which no collector knows: its chord would wait for ever.
    ///
    /// The message was not acknowledged yet.
    func refuseForeignChord(_ run: TaskRun) {
        let request = run.request
        counters.rejected.add()
        counters.refusedChordMessages.add()
        let error = ProtocolError(
            .unknownMessage,
            "the task is a part of a chord that a result backend keeps; this worker has only chords whose reply queue is "
                + "a collector's (\(composer.collector.prefix).N)"
        )
        log.refused(task: request.task.name, id: request.id, request.info, error)
        sendRejected(task: request.task.name, id: request.id, request.info, error)
        let exception = ExceptionInfo(
            type: "ChordError",
            module: "celery.exceptions",
            arguments: [.string(error.message)]
        )
        let failure = TaskOutcome.Failure(exception: exception, traceback: nil)
        var messages = [composer.message(of: request.envelope, .failure, exception)]
        messages += composer.messages(failing: run.body.embed.chain ?? [], failure)
        report(messages, for: request, of: request.delivery, then: .reject(requeue: false))
    }

    /// Refuses a request whose body cannot be read: it was not acknowledged yet.
    func refuse(_ request: TaskRequest, _ error: ProtocolError) {
        counters.rejected.add()
        log.refused(task: request.task.name, id: request.id, request.info, error)
        sendRejected(task: request.task.name, id: request.id, request.info, error)
        let message = composer.message(of: request.envelope, .failure, ExceptionInfo(error))
        report([message], for: request, of: request.delivery, then: .reject(requeue: false))
    }

    /// Refuses a message whose headers cannot be read.
    func refuse(_ message: IncomingMessage, _ delivery: DeliveryID, _ error: ProtocolError) {
        counters.rejected.add()
        let (task, id) = ReceivedTask.identity(of: message.properties)
        let info = DeliveryInfo(message)
        log.refused(task: task, id: id, info, error)
        sendRejected(task: task, id: id, info, error)
        let result = composer.message(refusing: message.properties, ExceptionInfo(error))
        report([result], for: nil, of: delivery, then: .reject(requeue: false))
    }

    /// Refuses a task that nobody has registered, and fails the steps of its chain.
    func refuseUnknown(_ envelope: TaskEnvelope, _ delivery: DeliveryID, _ info: DeliveryInfo) {
        counters.rejected.add()
        log.unknown(envelope, info)
        signals.taskUnknown.send(TaskSignal.Unknown(headers: envelope.headers, deliveryInfo: info), log.logger)
        let exception = ExceptionInfo.notRegistered(envelope.headers.task)
        var messages = [composer.message(of: envelope, .failure, exception)]
        if let chain = try? envelope.decodedBody().embed.chain {
            messages += composer.messages(failing: chain, TaskOutcome.Failure(exception: exception, traceback: nil))
        }
        report(messages, for: nil, of: delivery, then: .reject(requeue: false))
    }

    private func sendRejected(task: String?, id: String?, _ info: DeliveryInfo, _ error: ProtocolError) {
        signals.taskRejected.send(
            TaskSignal.Rejected(task: task, id: id, deliveryInfo: info, error: error),
            log.logger
        )
    }
}
