/// In which order several brokers are tried (`broker_failover_strategy`).
public enum FailoverStrategy: String, Sendable, Hashable, CaseIterable {
    /// One after the other, beginning with the one that worked last.
    case roundRobin = "round-robin"
    /// In random order.
    case shuffle
}
