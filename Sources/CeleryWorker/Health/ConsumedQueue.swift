/// A queue of tasks as a worker consumes it at one moment.
public struct ConsumedQueue: Sendable, Hashable {
    /// The queue's name.
    public let name: String
    /// Whether the broker knows a consumer of this worker for it.
    public let isConsumed: Bool
    /// The prefetch count: deliveries that one consumer may leave unsettled; 0 for no bound.
    public let credit: Int
    /// Deliveries of the queue that are not settled: they wait, run, or their results are on the way.
    public let unsettled: Int
}
