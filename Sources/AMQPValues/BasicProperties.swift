/// The properties of a message of AMQP 0-9-1's basic class.
///
/// An absent property is nil and takes no space on the wire.
public struct BasicProperties: Sendable, Hashable {
    /// MIME type of the body.
    public var contentType: String?
    /// Encoding of the body; Celery writes a character set, or `binary`.
    public var contentEncoding: String?
    /// Header table.
    public var headers: FieldTable?
    /// 1 transient, 2 persistent.
    public var deliveryMode: UInt8?
    /// 0 to 255.
    public var priority: UInt8?
    /// Celery: the task's id.
    public var correlationID: String?
    /// Celery: the name of the queue for results.
    public var replyTo: String?
    /// Time to live in milliseconds, as text.
    public var expiration: String?
    /// Application's message id.
    public var messageID: String?
    /// Seconds since 1970 in UTC.
    public var timestamp: UInt64?
    /// Application's message type.
    public var type: String?
    /// Name of the user who publishes; the broker checks it.
    public var userID: String?
    /// Application's id.
    public var appID: String?
    /// Reserved by the specification.
    public var clusterID: String?

    /// Makes properties with none present.
    public init() {}
}
