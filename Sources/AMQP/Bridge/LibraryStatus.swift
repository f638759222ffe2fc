internal import CRabbitMQ

/// Errors of librabbitmq as ours.
enum LibraryStatus {
    static func error(_ status: Int32) -> AMQPError {
        AMQPError(code(status), text(status))
    }

    static func text(_ status: Int32) -> String {
        String(cString: amqp_error_string2(status))
    }

    private static func code(_ status: Int32) -> AMQPError.Code {
        switch status {
        case AMQP_STATUS_HEARTBEAT_TIMEOUT.rawValue: .heartbeatTimeout
        case AMQP_STATUS_TIMEOUT.rawValue: .timeout
        case AMQP_STATUS_BAD_AMQP_DATA.rawValue, AMQP_STATUS_UNKNOWN_CLASS.rawValue,
            AMQP_STATUS_UNKNOWN_METHOD.rawValue, AMQP_STATUS_WRONG_METHOD.rawValue,
            AMQP_STATUS_UNEXPECTED_STATE.rawValue, AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION.rawValue:
            .protocolViolation
        case AMQP_STATUS_INVALID_PARAMETER.rawValue, AMQP_STATUS_TABLE_TOO_BIG.rawValue: .invalidArgument
        case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED.rawValue: .connectionFailed
        case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD.rawValue: .authenticationFailed
        case AMQP_STATUS_SSL_ERROR.rawValue, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED.rawValue,
            AMQP_STATUS_SSL_PEER_VERIFY_FAILED.rawValue, AMQP_STATUS_SSL_CONNECTION_FAILED.rawValue:
            .tls
        default: .connectionClosed
        }
    }
}
