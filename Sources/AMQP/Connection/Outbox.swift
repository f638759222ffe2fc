/// What a channel's owner wants to be written, posted without waiting.
enum OutboxItem: Sendable {
    case settle(ChannelID, deliveryTag: UInt64, Settlement)
    case publish(ChannelID, PendingPublish)
    /// A publish that cannot be sent; its owner is told in its turn.
    case refuse(PublishOwner, AMQPError)
}

/// Told once when the fate of a publish is known.
///
/// Called on the connection's thread: it must be quick and never block.
public typealias PublishCompletion = @Sendable (Result<Void, AMQPError>) -> Void

/// Names a channel for good: the number may be used again by a later channel, the serial is not.
struct ChannelID: Sendable, Hashable {
    let number: UInt16
    let serial: UInt64
}
