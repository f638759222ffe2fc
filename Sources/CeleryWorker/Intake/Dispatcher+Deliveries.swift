import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials

extension Dispatcher {
    mutating func receive(_ messages: [IncomingMessage], of epoch: ChannelEpoch) {
        // Of a lost channel nothing may start: the broker delivers it again.
        guard let ids = environment.ledger.register(epoch, tags: messages.lazy.map(\.deliveryTag)) else { return }
        environment.counters.received.add(messages.count)
        for (message, id) in zip(messages, ids) {
            if isDraining {
                giveBack(id)
            } else {
                admit(message, id, epoch)
            }
        }
    }

    private mutating func admit(_ message: IncomingMessage, _ delivery: DeliveryID, _ epoch: ChannelEpoch) {
        do {
            let envelope = try recognise(message)
            guard let task = environment.tasks[envelope.headers.task] else {
                return environment.finisher.refuseUnknown(envelope, delivery, DeliveryInfo(message))
            }
            let eta = try time(envelope.headers.eta, of: envelope)
            let expires = try time(envelope.headers.expires, of: envelope)
            let request = request(for: task, envelope, message, delivery, epoch, expires: expires, arrival: coarseNow)
            environment.log.received(request)
            if message.redelivered, !duplicates.isEmpty, isDuplicate(request) { return }
            if environment.check.discards(request) { return }
            task.hooks.signals.taskReceived.send(TaskSignal.Received(request), environment.log.logger)
            place(request, message, eta: eta)
        } catch {
            environment.finisher.refuse(message, delivery, error)
        }
    }

    private func recognise(_ message: IncomingMessage) throws(ProtocolError) -> TaskEnvelope {
        try ReceivedTask.recognise(message.properties, body: message.body, accept: environment.settings.accepted)
    }

    private func request(
        for task: WorkerTask,
        _ envelope: TaskEnvelope,
        _ message: IncomingMessage,
        _ delivery: DeliveryID,
        _ epoch: ChannelEpoch,
        expires: Int64?,
        arrival: ContinuousClock.Instant
    ) -> TaskRequest {
        TaskRequest(
            task: task,
            envelope: envelope,
            delivery: delivery,
            epoch: epoch,
            info: DeliveryInfo(message),
            wantsResult: !(envelope.headers.ignoreResult ?? task.ignoresResult)
                || environment.settings.collector.collects(envelope.properties.replyTo),
            expires: expires,
            arrival: arrival
        )
    }

    private mutating func place(_ request: TaskRequest, _ message: IncomingMessage, eta: Int64?) {
        let now = eta == nil ? 0 : WorkerClock.now()
        guard let eta, eta > now else {
            if limiter.isOff || !limit(request, message) { ready.append(request) }
            return
        }
        let delivery = parkedDelivery(request, message, eta: eta)
        sources[request.epoch]?.credit.park(delivery.consumerTag)
        if !isNear(delivery, now: now), handOver(delivery) { return }
        park(delivery)
    }

    /// The delivery of a request as it waits.
    mutating func parkedDelivery(_ request: TaskRequest, _ message: IncomingMessage, eta: Int64) -> ParkedDelivery {
        let timeout = sources[request.epoch]?.timeout
        return ParkedDelivery(
            message: packer.pack(message),
            delivery: request.delivery,
            epoch: request.epoch,
            consumerTag: message.consumerTag ?? "",
            redelivered: message.redelivered,
            eta: eta,
            expires: request.expires,
            deadline: timeout.map { WorkerClock.now() &+ $0.holdLimit.microseconds },
            arrival: .now,
            tag: message.deliveryTag,
            task: request.task.name,
            idHash: request.id.hashValue
        )
    }

    /// A time of the headers in microseconds since 1970.
    private func time(_ text: String?, of envelope: TaskEnvelope) throws(ProtocolError) -> Int64? {
        guard let text else { return nil }
        let wire = try WireDate(parsing: text)
        var date = wire.date
        if wire.offsetSeconds == nil, !envelope.utc {
            let offset = environment.settings.timezone.secondsFromGMT(for: date)
            date.addTimeInterval(-Double(offset))
        }
        return WorkerClock.microseconds(date)
    }

    /// Makes the request of a delivery that was parked; nil, settled, if that fails.
    func unpack(_ parked: ParkedDelivery) -> TaskRequest? {
        do {
            var message = try MessageUnpacker.unpack(parked.message)
            message.redelivered = parked.redelivered
            let envelope = try recognise(message)
            guard let task = environment.tasks[envelope.headers.task] else {
                environment.finisher.refuseUnknown(envelope, parked.delivery, DeliveryInfo(message))
                return nil
            }
            return request(
                for: task,
                envelope,
                message,
                parked.delivery,
                parked.epoch,
                expires: parked.expires,
                arrival: parked.arrival
            )
        } catch {
            // It was read once and packed without loss.
            environment.log.unreadable(error)
            giveBack(parked.delivery)
            return nil
        }
    }
}

extension Duration {
    /// The duration in microseconds, at most about 290 years.
    var microseconds: Int64 {
        let microseconds = seconds * 1_000_000
        guard microseconds < 9e18 else { return .max / 2 }
        return Int64(max(0, microseconds))
    }
}
