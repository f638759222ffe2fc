/// A mandatory message that no queue took (`basic.return`).
public struct ReturnedMessage: Sendable, Hashable {
    /// AMQP's reply code: 312 no route, 313 no consumers.
    public var replyCode: Int
    /// The broker's words.
    public var replyText: String
    /// The message with the exchange and the routing key that it was published with.
    public var message: IncomingMessage
}

/// Told of messages that come back on a channel without confirms.
///
/// Called on the connection's thread: it must be quick and never block. With confirms the publish itself fails instead.
public typealias ReturnHandler = @Sendable (ReturnedMessage) -> Void
