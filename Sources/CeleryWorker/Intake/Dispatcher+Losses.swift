import AMQPValues
import Synchronization

/// Lost channels, and messages that come again after them.
extension Dispatcher {
    /// Forgets what a lost channel has delivered and what has not started: the broker delivers it again.
    ///
    /// What runs goes on, and copies of it are held from now on.
    mutating func drop(_ epoch: ChannelEpoch, cancelsRuns: Bool) {
        environment.ledger.close(epoch)
        sources[epoch] = nil
        var dropped = environment.pool.withdraw { $0.epoch == epoch }
        dropped += duplicates.removeHeld { $0.epoch == epoch }
        dropped += ready.filter { $0.epoch == epoch }
        ready.removeAll { $0.epoch == epoch }
        for request in dropped { environment.ledger.forget(request.delivery) }
        for parked in parked.removeAll(where: { $0.epoch == epoch }) { environment.ledger.forget(parked.delivery) }
        for waiting in limiter.removeAll(where: { $0.epoch == epoch }) { environment.ledger.forget(waiting.delivery) }
        for parcel in environment.handover?.withdraw(where: { $0.parked.epoch == epoch }) ?? [] {
            handovers -= 1
            environment.ledger.forget(parcel.parked.delivery)
        }
        adoptRuns(of: epoch, cancelling: cancelsRuns)
    }

    private mutating func adoptRuns(of epoch: ChannelEpoch, cancelling: Bool) {
        let remains = environment.ledger.remains(of: epoch)
        for run in remains.runs {
            duplicates.orphaned(run.key)
            if cancelling, environment.settings.cancelsOnConnectionLoss { run.interruption.interrupt(.connectionLost) }
        }
        for key in remains.acknowledged { duplicates.remember(key, .ack) }
        // Their acknowledgements may not have reached the broker either.
        let early = environment.pool.watchRunning(where: { $0.epoch == epoch && !$0.acksLate }) {
            [intake = environment.intake] run in
            intake.post(.runEnded(run.key, run.neverBegan.load(ordering: .relaxed) ? nil : .ack))
        }
        for run in early { duplicates.orphaned(run.key) }
    }

    /// Whether the request is a copy of one that runs or ran here; then it is held, or settled.
    mutating func isDuplicate(_ request: TaskRequest) -> Bool {
        switch duplicates.arrived(request.key, request) {
        case .run:
            return false
        case .hold:
            environment.counters.heldDuplicates.add()
            environment.log.heldDuplicate(request)
        case .settle(let settlement):
            settleDuplicate(request, settlement)
        }
        return true
    }

    mutating func runEnded(_ key: TaskKey, _ settlement: Settlement?) {
        for request in duplicates.ended(key, settlement) {
            if let settlement {
                settleDuplicate(request, settlement)
            } else if isHolding {
                giveBack(request.delivery)
            } else {
                ready.append(request)
            }
        }
    }

    private func settleDuplicate(_ request: TaskRequest, _ settlement: Settlement) {
        environment.counters.settledDuplicates.add()
        environment.log.settledDuplicate(request, settlement)
        _ = environment.ledger.settle(request, settlement)
    }

    /// Gives everything back to the broker that has not started, and whatever comes from now on.
    ///
    /// Copies of what still runs are kept for the run's end.
    mutating func drain() {
        isHolding = true
        isDraining = true
        for request in environment.pool.close() + ready { giveBack(request.delivery) }
        ready.removeAll()
        for parked in parked.removeAll(where: { _ in true }) { giveBack(parked.delivery) }
        for waiting in limiter.removeAll(where: { _ in true }) { giveBack(waiting.delivery) }
        for parcel in environment.handover?.withdraw(where: { _ in true }) ?? [] {
            handovers -= 1
            giveBack(parcel.parked.delivery)
        }
    }
}
