/// Whether a message survives a restart of the broker.
public enum DeliveryMode: UInt8, Sendable, Hashable {
    /// Kept in memory.
    case transient = 1
    /// Written to disk, where its queue is durable.
    case persistent = 2
}
