/// What went wrong between this process and the broker.
///
/// The description carries no payload and no secret.
public struct AMQPError: Error, Sendable, Hashable {
    /// The kind of an error.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name, as in the static members.
        public let description: String

        /// No broker could be reached: name look-up, refusal, or the limit of time for connecting.
        public static let connectionFailed = Code(description: "connectionFailed")
        /// The broker refused the user, the password, the certificate or the virtual host.
        public static let authenticationFailed = Code(description: "authenticationFailed")
        /// TLS could not be set up, or the peer's certificate did not verify.
        public static let tls = Code(description: "tls")
        /// The connection has ended; `message` tells by whom and why.
        public static let connectionClosed = Code(description: "connectionClosed")
        /// The broker has closed the channel, or the channel has been closed by this side.
        public static let channelClosed = Code(description: "channelClosed")
        /// Nothing came from the broker for two heartbeats.
        public static let heartbeatTimeout = Code(description: "heartbeatTimeout")
        /// One side sent what AMQP does not allow here.
        public static let protocolViolation = Code(description: "protocolViolation")
        /// No queue took a mandatory message (`basic.return`).
        public static let unroutable = Code(description: "unroutable")
        /// The broker refused a message (`basic.nack` of a publish).
        public static let nacked = Code(description: "nacked")
        /// The broker did not answer in time.
        public static let timeout = Code(description: "timeout")
        /// The caller's task was cancelled while it waited; the request itself may have been carried out.
        public static let cancelled = Code(description: "cancelled")
        /// A message, or the arguments of a declaration, are larger than AMQP, the negotiated frame size or
        /// `ConnectionConfiguration.maximumPublishSize` allow.
        public static let messageTooLarge = Code(description: "messageTooLarge")
        /// Too many publishes wait to be written (`ConnectionConfiguration.publishBufferMessages` and `…Bytes`).
        public static let bufferFull = Code(description: "bufferFull")
        /// A value that cannot be sent.
        public static let invalidArgument = Code(description: "invalidArgument")
        /// A broker URL that cannot be read.
        public static let invalidURL = Code(description: "invalidURL")
    }

    /// The kind of the error.
    public let code: Code
    /// What happened, for people.
    public let message: String
    /// AMQP's reply code, where the broker sent one: 404 not found, 405 locked, 406 precondition failed, 312 no route.
    public let replyCode: Int?
    /// File in which the error was made.
    public let file: String
    /// Line at which the error was made.
    public let line: Int

    /// Makes an error.
    public init(
        _ code: Code,
        _ message: String,
        replyCode: Int? = nil,
        file: String = #fileID,
        line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.replyCode = replyCode
        self.file = file
        self.line = line
    }

    /// Equal where the caller could not act differently: the place in the source does not count.
    public static func == (left: AMQPError, right: AMQPError) -> Bool {
        left.code == right.code && left.message == right.message && left.replyCode == right.replyCode
    }

    /// Hashes what equality compares.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(message)
        hasher.combine(replyCode)
    }
}

extension AMQPError: CustomStringConvertible {
    /// Code, reply code and message on one line.
    public var description: String {
        guard let replyCode else { return "\(code): \(message)" }
        return "\(code) (\(replyCode)): \(message)"
    }
}
