import Celery

/// Deliveries that wait for their time: here, or by the delay ladder.
extension Dispatcher {
    /// The ladder counts in whole seconds: what is due in less, in microseconds, is not worth the way.
    private static let shortestHandover: Int64 = 2_000_000

    /// Whether the delivery is to wait in the worker rather than by the ladder.
    func isNear(_ delivery: ParkedDelivery, now: Int64) -> Bool {
        if let limit = environment.settings.etaHoldLimit, delivery.eta &- now > limit.microseconds { return false }
        if let deadline = delivery.deadline, delivery.eta > deadline { return false }
        return parked.count < environment.settings.etaLimit
    }

    mutating func park(_ delivery: ParkedDelivery) {
        parked.insert(delivery, due: delivery.nextStep)
        replaceConsumerIfNeeded(delivery.epoch)
    }

    /// Sends the delivery to the ladder; false if that cannot be tried now.
    mutating func handOver(_ delivery: ParkedDelivery) -> Bool {
        guard !isHolding, delivery.eta &- WorkerClock.now() > Self.shortestHandover,
            let handover = environment.handover, let queue = sources[delivery.epoch]?.consumer.queue,
            handover.accepts(queue)
        else { return false }
        handovers += 1
        handover.submit(HandoverParcel(delivery, queue: queue))
        replaceConsumerIfNeeded(delivery.epoch)
        return true
    }

    mutating func handedOver(_ parcel: HandoverParcel, _ outcome: HandoverOutcome) {
        handovers -= 1
        let delivery = parcel.parked
        switch outcome {
        case .done: unpark(delivery)
        case .failed where sources[delivery.epoch] == nil: environment.ledger.forget(delivery.delivery)
        case .failed where isDraining: giveBack(delivery.delivery)
        case .failed: park(delivery)
        }
    }

    /// Its delivery is settled, or about to run: it holds no credit for nothing any more.
    mutating func unpark(_ delivery: ParkedDelivery) {
        sources[delivery.epoch]?.credit.unpark(delivery.consumerTag)
    }

    mutating func replaceConsumerIfNeeded(_ epoch: ChannelEpoch) {
        guard !isHolding else { return }
        guard hasRoom else {
            withheldCredit = true
            if !hasRoomInLines { reportFullLines() }
            if parked.count + handovers > environment.settings.etaLimit { reportFullHeap() }
            return
        }
        guard sources[epoch]?.credit.shouldReplace() == true, let consumer = sources[epoch]?.consumer else { return }
        environment.spawn { await consumer.replace() }
    }

    /// Whether further tasks for later may be fetched.
    private var hasRoom: Bool {
        parked.count + handovers <= environment.settings.etaLimit && hasRoomInLines && handovers <= 2 * Handover.window
    }

    /// Gives consumers the fresh credit that they did not get for want of room.
    ///
    /// Nothing else would: what such a consumer has fetched may all be for much later, and no delivery comes to ask.
    mutating func grantWithheldCredit() {
        guard withheldCredit, hasRoom else { return }
        withheldCredit = false
        for epoch in sources.keys { replaceConsumerIfNeeded(epoch) }
    }

    private mutating func reportFullHeap() {
        guard !hasReportedFullHeap else { return }
        hasReportedFullHeap = true
        environment.log.heapIsFull(limit: environment.settings.etaLimit)
    }
}

// MARK: - Time

extension Dispatcher {
    mutating func releaseDue() {
        guard !parked.isEmpty else { return }
        let now = WorkerClock.now()
        while let due = parked.popDue(now: now) { release(due, now: now) }
    }

    private mutating func release(_ due: ParkedDelivery, now: Int64) {
        if let expires = due.expires, expires < now {
            release(due)
        } else if due.eta <= now {
            if !limit(due) { release(due) }
        } else if !handOver(due) {
            unpark(due)
            handBack(due.delivery)
        }
    }

    mutating func scheduleTick() {
        guard let due = parked.nextDue, due < nextTick ?? .max else { return }
        nextTick = due
        let wait = max(0, due - WorkerClock.now())
        Alarm.after(.microseconds(wait)) { [intake = environment.intake] in intake.post(.tick) }
    }
}
