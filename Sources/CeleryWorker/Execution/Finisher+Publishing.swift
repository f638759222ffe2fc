import AMQP
import Celery

/// Publishing of results, and settling of deliveries behind them.
extension Finisher {
    /// Posts a result where there is one, and settles the delivery of a late task when it is confirmed.
    func post(_ message: OutgoingMessage?, of request: TaskRequest, then settlement: Settlement) {
        guard let message else { return settle(request, settlement) }
        results.post(message) { self.finishPost($0, request, settlement) }
    }

    func finishPost(_ verdict: ConfirmPublisher.Verdict, _ request: TaskRequest, _ settlement: Settlement) {
        settle(request, self.settlement(after: verdict, request, settlement))
    }

    /// How the delivery is settled once it is known what became of its result.
    func settlement(
        after verdict: ConfirmPublisher.Verdict,
        _ request: TaskRequest,
        _ settlement: Settlement
    ) -> Settlement {
        // The task runs again rather than that its outcome vanishes.
        answered(verdict, for: request, isFinal: true) ? .reject(requeue: true) : settlement
    }

    /// Publishes messages, and goes on when the broker has answered for all of them.
    ///
    /// - Parameters:
    ///   - messages: the messages; there may be none.
    ///   - request: the request that they are about, where it is known.
    ///   - done: told whether an outage has lost one of them.
    func publish(
        _ messages: [OutgoingMessage],
        for request: TaskRequest?,
        then done: @escaping @Sendable (_ isLost: Bool) -> Void
    ) {
        let reports = ReportCount(messages.count, then: done)
        for message in messages {
            results.post(message) { verdict in
                reports.answered(isLost: self.answered(verdict, for: request, isFinal: true))
            }
        }
    }

    /// Publishes what is to be told of a message that does not run, and then settles it.
    ///
    /// Where that was lost the message comes back, and it is told again.
    func report(
        _ messages: [OutgoingMessage?],
        for request: TaskRequest?,
        of delivery: DeliveryID,
        then settlement: Settlement
    ) {
        publish(messages.compactMap(\.self), for: request) { isLost in
            self.ledger.settle(delivery, isLost ? .reject(requeue: true) : settlement)
        }
    }

    /// Counts and logs what became of a result.
    ///
    /// True if an outage of the broker has lost it.
    @discardableResult
    func answered(_ verdict: ConfirmPublisher.Verdict, for request: TaskRequest?, isFinal: Bool) -> Bool {
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
    func settle(_ request: TaskRequest, _ settlement: Settlement) {
        guard request.acksLate else { return }
        if case .stale = ledger.settle(request, settlement) { intake.post(.runEnded(request.key, settlement)) }
    }
}
