/// Whether the broker takes publishes on a connection (`connection.blocked` of RabbitMQ).
public enum BlockedState: Sendable, Hashable {
    /// Publishes go out.
    case unblocked
    /// The broker takes no publishes for now; its words tell why, such as `low on memory`.
    case blocked(reason: String)

    /// Whether the broker takes no publishes for now.
    public var isBlocked: Bool { self != .unblocked }
}

/// Told of each change of a connection's blocked state.
///
/// Called on the connection's thread: it must be quick and never block.
public typealias BlockedHandler = @Sendable (BlockedState) -> Void
