public import CeleryProtocol

extension TaskRegistry {
    /// Adds what is done by the one worker that wins an election about this topic.
    ///
    /// An election is held by the control command `election` (in Python `app.control.election(id, topic, action)`), and among
    /// all workers that listen to each other: not with `--without-gossip`. The topic `task` is there already, and sends the
    /// signature that is its action. Elections are no locks: workers that do not see each other may both win. Celery:
    /// `election_handlers` of `celery.worker.consumer.gossip`.
    ///
    /// - Parameters:
    ///   - topic: the topic's name.
    ///   - handler: called with the election's action; an error that it throws is logged.
    public mutating func election(
        _ topic: String,
        _ handler: @escaping @Sendable (_ action: JSONValue) async throws -> Void
    ) {
        elections[topic] = handler
    }
}
