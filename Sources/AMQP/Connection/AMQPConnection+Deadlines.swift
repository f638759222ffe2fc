/// What the broker owes the connection, and until when.
extension AMQPConnection {
    /// When the broker has to have answered a request; nil where it owes nothing.
    private var requestDeadline: ContinuousClock.Instant? {
        channels.values.lazy.compactMap { $0.replies.deadline }.min().map { min($0, state.closeDeadline ?? $0) }
            ?? state.closeDeadline
    }

    /// When to look whether the broker has kept its times.
    private var nextDeadline: ContinuousClock.Instant? {
        var next = requestDeadline
        for core in channels.values {
            guard let due = core.confirmDeadline.due else { continue }
            next = min(next ?? due, due)
        }
        return next
    }

    /// How long to wait for frames, in milliseconds: not beyond half a heartbeat, nor beyond a deadline; -1 for ever.
    func patience(heartbeat: Int) -> Int32 {
        var limit = heartbeat > 0 ? Duration.milliseconds(heartbeat * 500) : nil
        if let next = nextDeadline {
            let remaining = ContinuousClock.now.duration(to: next)
            limit = min(limit ?? remaining, remaining)
        }
        guard let limit else { return -1 }
        return limit.wholeMilliseconds
    }

    /// Ends the connection where the broker has not kept its times.
    func endIfOverdue() {
        for core in channels.values where core.isConfirming {
            let isPaused = isBlocked || core.isPaused
            if core.confirmDeadline.look(waiting: core.confirms.waiting, isPaused: isPaused, now: { .now }) {
                return fail(AMQPError(.timeout, "the broker did not confirm a publish in time"))
            }
        }
        guard let deadline = requestDeadline, deadline <= .now else { return }
        fail(AMQPError(.timeout, "the broker did not answer a request in time"))
    }
}
