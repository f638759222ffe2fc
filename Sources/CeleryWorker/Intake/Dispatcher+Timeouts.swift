import Celery
import Synchronization

/// What the broker's consumer timeout asks for: no delivery may be unsettled for longer, whatever it waits for.
extension Dispatcher {
    /// Tells of tasks that may run for longer than the broker waits for their acknowledgement.
    func checkTimeLimits(of queue: String, _ timeout: ConsumerTimeout) {
        for task in environment.tasks.all where task.acksLate {
            if let limit = task.hardLimit, limit > timeout.limit {
                environment.log.limitExceedsTimeout(task: task.name, limit, queue: queue, timeout.limit)
            }
        }
    }

    mutating func scheduleSweep() {
        guard !isSweeping, let interval = sources.values.compactMap({ $0.timeout?.sweepInterval }).min() else { return }
        isSweeping = true
        Alarm.after(interval) { [intake = environment.intake] in intake.post(.sweep) }
    }

    mutating func sweep() {
        isSweeping = false
        coarseNow = .now
        let limits = AgeLimits(sources.compactMapValues(\.timeout), now: coarseNow)
        for request in environment.pool.withdraw(where: { limits.arePassed($0.arrival, $0.epoch) }) {
            handBack(request.delivery)
        }
        for request in duplicates.removeHeld(where: { limits.arePassed($0.arrival, $0.epoch) }) {
            handBack(request.delivery)
        }
        for delivery in limiter.removeAll(where: { limits.arePassed($0.arrival, $0.epoch) }) {
            unpark(delivery)
            handBack(delivery.delivery)
        }
        let parcels = environment.handover?.withdraw { limits.arePassed($0.parked.arrival, $0.parked.epoch) } ?? []
        for parcel in parcels {
            handovers -= 1
            unpark(parcel.parked)
            handBack(parcel.parked.delivery)
        }
        reportOverdueRuns(limits)
        scheduleSweep()
    }

    private func reportOverdueRuns(_ limits: AgeLimits) {
        for run in environment.ledger.runs where limits.arePassed(run.arrival, run.epoch) {
            guard let timeout = sources[run.epoch]?.timeout,
                !run.isOverdue.exchange(true, ordering: .relaxed)
            else { continue }
            environment.counters.overdueRuns.add()
            environment.log.overdue(run, timeout.limit)
        }
    }

    /// Gives a delivery back because the broker would not wait any longer.
    func handBack(_ delivery: DeliveryID) {
        environment.counters.handedBack.add()
        giveBack(delivery)
    }
}

/// Which deliveries have been held for as long as the broker's timeouts allow.
private struct AgeLimits {
    private let timeouts: [ChannelEpoch: ConsumerTimeout]
    private let now: ContinuousClock.Instant

    init(_ timeouts: [ChannelEpoch: ConsumerTimeout], now: ContinuousClock.Instant) {
        self.timeouts = timeouts
        self.now = now
    }

    func arePassed(_ arrival: ContinuousClock.Instant, _ epoch: ChannelEpoch) -> Bool {
        guard let timeout = timeouts[epoch] else { return false }
        return now - arrival >= timeout.holdLimit
    }
}
