package import AMQP

extension CeleryError {
    /// Translates what the broker or the connection reported.
    package init(_ error: AMQPError, _ message: String, file: String = #fileID, line: Int = #line) {
        self.init(Self.code(for: error), message, underlying: error, file: file, line: line)
    }

    private static func code(for error: AMQPError) -> Code {
        switch error.code {
        case .unroutable: .unroutable
        case .nacked: .queueFull
        case .cancelled: .cancelled
        case .invalidURL: .invalidConfiguration
        case .invalidArgument: .invalidOption
        case .channelClosed where error.replyCode == 404: .unroutable
        case .messageTooLarge: .messageTooLarge
        case .channelClosed where error.isSizeRefusal: .messageTooLarge
        case .channelClosed where error.replyCode != nil: .topology
        default: .connection
        }
    }
}

extension AMQPError {
    /// Whether the broker has ended the channel over a message beyond its `max_message_size`, in RabbitMQ's words.
    fileprivate var isSizeRefusal: Bool {
        replyCode == 406 && message.contains("message size") && message.contains("larger than")
    }

    /// Whether a new connection may help, so that a publish is tried again (kombu's recoverable connection errors).
    package var isRecoverable: Bool {
        switch code {
        // A broker that confirms or answers nothing in time has lost the connection, too (`timeout`).
        case .connectionFailed, .connectionClosed, .heartbeatTimeout, .protocolViolation, .timeout: true
        // A reply code tells that the broker closed the channel on purpose: the same request would meet the same end.
        case .channelClosed: replyCode == nil
        default: false
        }
    }
}
