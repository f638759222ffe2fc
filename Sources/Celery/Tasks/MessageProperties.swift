/// AMQP properties that Celery leaves to the sender.
public struct MessageProperties: Sendable, Hashable {
    /// The application's id of the message.
    public var messageID: String?
    /// Seconds since 1970 in UTC.
    public var timestamp: UInt64?
    /// The application's type of the message.
    public var type: String?
    /// Name of the broker's user; the broker refuses another than the connection's.
    public var userID: String?
    /// The application's id.
    public var appID: String?

    /// Makes properties; what is nil is not sent.
    public init(
        messageID: String? = nil,
        timestamp: UInt64? = nil,
        type: String? = nil,
        userID: String? = nil,
        appID: String? = nil
    ) {
        self.messageID = messageID
        self.timestamp = timestamp
        self.type = type
        self.userID = userID
        self.appID = appID
    }
}
