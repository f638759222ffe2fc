/// What AMQP and the negotiated frame size allow, checked before anything goes out: librabbitmq writes the method
/// before it notices that the header does not fit, which would break the connection.
enum MessageLimits {
    private static let shortStringLimit = 255
    /// Deeper tables are refused; the broker and librabbitmq recurse into them.
    static let depthLimit = 100
    /// Bytes of a frame around its payload, and of a content header before its properties.
    private static let frameOverhead = 8 + 12

    /// Checks a message and answers the bytes of its properties and its body.
    static func check(_ message: OutgoingMessage, frameMax: Int, bodyLimit: Int) throws(AMQPError) -> Int {
        try check(short: message.exchange, "exchange")
        try check(short: message.routingKey, "routing key")
        try check(message.properties)
        let size = message.properties.encodedSize
        guard size + frameOverhead <= frameMax else {
            throw AMQPError(
                .messageTooLarge,
                "the message's properties and headers take \(size) bytes, more than a frame of \(frameMax) bytes holds"
            )
        }
        guard message.body.count <= bodyLimit else {
            throw AMQPError(
                .messageTooLarge,
                "the message's body has \(message.body.count) bytes, more than the limit of \(bodyLimit)"
            )
        }
        return size + message.body.count
    }

    /// Checks the arguments of a declaration, which have to fit into one frame with up to four names.
    static func check(arguments: FieldTable, frameMax: Int) throws(AMQPError) {
        try check(arguments)
        let size = arguments.encodedSize
        guard size + frameOverhead + 4 * (shortStringLimit + 1) <= frameMax else {
            throw AMQPError(
                .messageTooLarge,
                "the arguments take \(size) bytes, more than a frame of \(frameMax) bytes holds"
            )
        }
    }

    static func check(_ properties: BasicProperties) throws(AMQPError) {
        try check(short: properties.contentType, "content_type")
        try check(short: properties.contentEncoding, "content_encoding")
        try check(short: properties.correlationID, "correlation_id")
        try check(short: properties.replyTo, "reply_to")
        try check(short: properties.expiration, "expiration")
        try check(short: properties.messageID, "message_id")
        try check(short: properties.type, "type")
        try check(short: properties.userID, "user_id")
        try check(short: properties.appID, "app_id")
        try check(short: properties.clusterID, "cluster_id")
        if let headers = properties.headers { try check(headers) }
    }

    static func check(short text: String?, _ name: String) throws(AMQPError) {
        guard let text, text.utf8.count > shortStringLimit else { return }
        throw AMQPError(.invalidArgument, "\(name) is longer than AMQP's \(shortStringLimit) bytes")
    }

    static func check(_ table: FieldTable, depth: Int = 0) throws(AMQPError) {
        for field in table {
            try check(short: field.name, "a field's name")
            try check(field.value, depth: depth)
        }
    }

    private static func check(_ value: FieldValue, depth: Int) throws(AMQPError) {
        switch value {
        case .table(let table):
            guard depth < depthLimit else { throw AMQPError(.invalidArgument, "a table is nested too deeply") }
            try check(table, depth: depth + 1)
        case .array(let elements):
            guard depth < depthLimit else { throw AMQPError(.invalidArgument, "an array is nested too deeply") }
            for element in elements { try check(element, depth: depth + 1) }
        default: break
        }
    }
}
