/// How much a worker has to do at one moment.
public struct WorkerLevels: Sendable, Hashable {
    /// How many tasks may run at a time.
    public let slots: Int
    /// How many of the slots run a task.
    public let busySlots: Int
    /// Deliveries that wait in the worker for their `eta`.
    public let heldForTime: Int
    /// Deliveries that wait for the rate limits of their types.
    public let heldForRate: Int
    /// Deliveries on their way to the delay ladder.
    public let handovers: Int
    /// Results that were published, or wait for a channel, and are not confirmed.
    public let unconfirmedResults: Int
    /// Tasks that were published, or wait for a channel, and are not confirmed.
    public let unconfirmedTasks: Int
}
