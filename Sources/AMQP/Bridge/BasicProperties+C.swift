internal import CRabbitMQ

extension BasicProperties {
    init(_ source: amqp_basic_properties_t) throws(TableTooDeep) {
        self.init()
        let flags = source._flags
        func text(_ flag: Int32, _ bytes: amqp_bytes_t) -> String? {
            flags & amqp_flags_t(flag) == 0 ? nil : bytes.text
        }
        contentType = text(AMQP_BASIC_CONTENT_TYPE_FLAG, source.content_type)
        contentEncoding = text(AMQP_BASIC_CONTENT_ENCODING_FLAG, source.content_encoding)
        if flags & amqp_flags_t(AMQP_BASIC_HEADERS_FLAG) != 0 { headers = try FieldTable(source.headers) }
        if flags & amqp_flags_t(AMQP_BASIC_DELIVERY_MODE_FLAG) != 0 { deliveryMode = source.delivery_mode }
        if flags & amqp_flags_t(AMQP_BASIC_PRIORITY_FLAG) != 0 { priority = source.priority }
        correlationID = text(AMQP_BASIC_CORRELATION_ID_FLAG, source.correlation_id)
        replyTo = text(AMQP_BASIC_REPLY_TO_FLAG, source.reply_to)
        expiration = text(AMQP_BASIC_EXPIRATION_FLAG, source.expiration)
        messageID = text(AMQP_BASIC_MESSAGE_ID_FLAG, source.message_id)
        if flags & amqp_flags_t(AMQP_BASIC_TIMESTAMP_FLAG) != 0 { timestamp = source.timestamp }
        type = text(AMQP_BASIC_TYPE_FLAG, source.type)
        userID = text(AMQP_BASIC_USER_ID_FLAG, source.user_id)
        appID = text(AMQP_BASIC_APP_ID_FLAG, source.app_id)
        clusterID = text(AMQP_BASIC_CLUSTER_ID_FLAG, source.cluster_id)
    }

    /// The properties for librabbitmq; what they point to lives in the arena.
    func cValue(in arena: Arena) -> amqp_basic_properties_t {
        var result = amqp_basic_properties_t()
        func put(_ text: String?, _ flag: Int32, _ field: inout amqp_bytes_t, _ flags: inout amqp_flags_t) {
            guard let text else { return }
            flags |= amqp_flags_t(flag)
            field = arena.bytes(text)
        }
        put(contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, &result.content_type, &result._flags)
        put(contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, &result.content_encoding, &result._flags)
        if let headers {
            result._flags |= amqp_flags_t(AMQP_BASIC_HEADERS_FLAG)
            result.headers = arena.table(headers)
        }
        if let deliveryMode {
            result._flags |= amqp_flags_t(AMQP_BASIC_DELIVERY_MODE_FLAG)
            result.delivery_mode = deliveryMode
        }
        if let priority {
            result._flags |= amqp_flags_t(AMQP_BASIC_PRIORITY_FLAG)
            result.priority = priority
        }
        put(correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, &result.correlation_id, &result._flags)
        put(replyTo, AMQP_BASIC_REPLY_TO_FLAG, &result.reply_to, &result._flags)
        put(expiration, AMQP_BASIC_EXPIRATION_FLAG, &result.expiration, &result._flags)
        put(messageID, AMQP_BASIC_MESSAGE_ID_FLAG, &result.message_id, &result._flags)
        if let timestamp {
            result._flags |= amqp_flags_t(AMQP_BASIC_TIMESTAMP_FLAG)
            result.timestamp = timestamp
        }
        put(type, AMQP_BASIC_TYPE_FLAG, &result.type, &result._flags)
        put(userID, AMQP_BASIC_USER_ID_FLAG, &result.user_id, &result._flags)
        put(appID, AMQP_BASIC_APP_ID_FLAG, &result.app_id, &result._flags)
        put(clusterID, AMQP_BASIC_CLUSTER_ID_FLAG, &result.cluster_id, &result._flags)
        return result
    }
}
