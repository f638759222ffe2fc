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

    func publish(
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

    /// Publishes messages, and goes on when the broker has answered for all of them.
    func publish(_ messages: [OutgoingMessage], for request: TaskRequest?, then done: @escaping @Sendable () -> Void) {
        if messages.isEmpty { return done() }
        let last = LastCall(messages.count, then: done)
        for message in messages { publish(message, for: request) { last.decrement() } }
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
