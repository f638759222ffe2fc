import AMQPValues
import Celery

/// Tasks that wait because their type has started as often as its rate limit allows.
///
/// They wait here, packed, and like tasks for later they hold neither a slot nor, up to a bound, the prefetch credit of other
/// tasks; with Celery they keep their credit.
extension Dispatcher {
    /// Lets a delivery wait where its type's rate asks for that; false if it may start now.
    mutating func limit(_ request: TaskRequest, _ message: IncomingMessage) -> Bool {
        guard !limiter.admit(request.task.name, now: .now) else { return false }
        environment.counters.rateLimited.add()
        let delivery = parkedDelivery(request, message, eta: WorkerClock.now())
        sources[delivery.epoch]?.credit.park(delivery.consumerTag)
        line(up: delivery)
        return true
    }

    /// Lets a delivery wait whose `eta` has come; false if it may start now.
    mutating func limit(_ due: ParkedDelivery) -> Bool {
        guard !limiter.isOff, !limiter.admit(due.task, now: .now) else { return false }
        environment.counters.rateLimited.add()
        line(up: due)
        return true
    }

    private mutating func line(up delivery: ParkedDelivery) {
        let isInLine = limiter.append(delivery, for: delivery.task) { $0.isBehind($1) }
        guard isInLine else { return release(delivery) }
        replaceConsumerIfNeeded(delivery.epoch)
    }

    /// Hands on what may start now by its type's rate, and what has expired.
    mutating func releaseByRate() {
        guard limiter.count > 0, !isHolding else { return }
        let now = WorkerClock.now()
        for due in limiter.takeDue(now: .now, isVoid: { $0.expires.map { $0 < now } ?? false }) { release(due) }
    }

    /// Hands on a delivery that waits for nothing any more.
    mutating func release(_ parked: ParkedDelivery) {
        unpark(parked)
        guard let request = unpack(parked) else { return }
        if !environment.check.discards(request) { ready.append(request) }
    }

    mutating func setRateLimit(_ limit: RateLimit?, for task: String) {
        guard environment.settings.limitsRates else { return }
        for freed in limiter.set(limit, for: task, now: .now) { release(freed) }
    }

    mutating func scheduleRateTick() {
        let now = ContinuousClock.now
        guard !isHolding, let due = limiter.nextDue(now: now), nextRateTick.map({ due < $0 }) ?? true else { return }
        nextRateTick = due
        Alarm.after(due - now) { [intake = environment.intake] in intake.post(.rateTick) }
    }

    /// Whether further tasks may be fetched behind those that wait for their rates.
    var hasRoomInLines: Bool { limiter.count <= environment.settings.rateLimitedLimit }

    mutating func reportFullLines() {
        guard !hasReportedFullLines else { return }
        hasReportedFullLines = true
        environment.log.linesAreFull(limit: environment.settings.rateLimitedLimit)
    }
}
