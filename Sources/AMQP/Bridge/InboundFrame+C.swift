internal import CRabbitMQ

extension InboundFrame {
    /// Copies a frame out of librabbitmq's memory.
    init(_ frame: amqp_frame_t) throws(AMQPError) {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD: self = try Self.method(frame.payload.method, on: frame.channel)
        case AMQP_FRAME_HEADER:
            guard frame.payload.properties.class_id == UInt16(AMQP_BASIC_CLASS),
                let decoded = frame.payload.properties.decoded
            else { throw AMQPError(.protocolViolation, "a content header of an unknown class") }
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self)
            self = .header(
                channel: frame.channel,
                bodySize: frame.payload.properties.body_size,
                try? BasicProperties(properties.pointee)
            )
        case AMQP_FRAME_BODY: self = .body(channel: frame.channel, frame.payload.body_fragment.array)
        default: throw AMQPError(.protocolViolation, "a frame of an unknown type")
        }
    }

    private static func method(_ method: amqp_method_t, on channel: UInt16) throws(AMQPError) -> InboundFrame {
        guard let decoded = method.decoded else { throw AMQPError(.protocolViolation, "a method without arguments") }
        if channel == 0 { return connectionMethod(method.id, decoded) }
        guard let value = ServerMethod(method.id, decoded) else {
            return .unexpected(channel: channel, method: method.id)
        }
        return .method(channel: channel, value)
    }

    private static func connectionMethod(
        _ number: amqp_method_number_t,
        _ decoded: UnsafeMutableRawPointer
    ) -> InboundFrame {
        switch number {
        case AMQP_CONNECTION_CLOSE_METHOD:
            let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
            return .connectionClose(CloseReason(code: Int(close.reply_code), text: close.reply_text.text))
        case AMQP_CONNECTION_CLOSE_OK_METHOD: return .connectionCloseOK
        case AMQP_CONNECTION_BLOCKED_METHOD:
            let blocked = decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee
            return .blocked(reason: blocked.reason.text)
        case AMQP_CONNECTION_UNBLOCKED_METHOD: return .unblocked
        default: return .unexpected(channel: 0, method: number)
        }
    }
}

extension ServerMethod {
    /// Copies a method's arguments; nil for a method that a client does not get.
    init?(_ number: amqp_method_number_t, _ decoded: UnsafeMutableRawPointer) {
        switch number {
        case AMQP_BASIC_DELIVER_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self).pointee
            self = .deliver(
                ContentSource(
                    consumerTag: method.consumer_tag.text,
                    deliveryTag: method.delivery_tag,
                    redelivered: method.redelivered != 0,
                    exchange: method.exchange.text,
                    routingKey: method.routing_key.text
                )
            )
        case AMQP_BASIC_ACK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
            self = .ack(tag: method.delivery_tag, multiple: method.multiple != 0)
        case AMQP_BASIC_NACK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
            self = .nack(tag: method.delivery_tag, multiple: method.multiple != 0)
        case AMQP_BASIC_RETURN_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_return_t.self).pointee
            self = .returned(
                code: Int(method.reply_code),
                text: method.reply_text.text,
                exchange: method.exchange.text,
                routingKey: method.routing_key.text
            )
        case AMQP_BASIC_GET_OK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_get_ok_t.self).pointee
            self = .getOK(
                ContentSource(
                    consumerTag: nil,
                    deliveryTag: method.delivery_tag,
                    redelivered: method.redelivered != 0,
                    exchange: method.exchange.text,
                    routingKey: method.routing_key.text
                ),
                messageCount: Int(method.message_count)
            )
        case AMQP_BASIC_CANCEL_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_cancel_t.self).pointee
            self = .cancel(consumerTag: method.consumer_tag.text)
        case AMQP_CHANNEL_FLOW_METHOD:
            self = .flow(active: decoded.assumingMemoryBound(to: amqp_channel_flow_t.self).pointee.active != 0)
        case AMQP_CHANNEL_CLOSE_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            self = .channelClose(CloseReason(code: Int(method.reply_code), text: method.reply_text.text))
        default:
            guard let reply = ServerReply(number, decoded) else { return nil }
            self = .reply(reply)
        }
    }
}

extension ServerReply {
    init?(_ number: amqp_method_number_t, _ decoded: UnsafeMutableRawPointer) {
        switch number {
        case AMQP_CHANNEL_OPEN_OK_METHOD: self = .channelOpen
        case AMQP_CHANNEL_CLOSE_OK_METHOD: self = .channelClose
        case AMQP_EXCHANGE_DECLARE_OK_METHOD: self = .exchangeDeclare
        case AMQP_EXCHANGE_DELETE_OK_METHOD: self = .exchangeDelete
        case AMQP_EXCHANGE_BIND_OK_METHOD: self = .exchangeBind
        case AMQP_EXCHANGE_UNBIND_OK_METHOD: self = .exchangeUnbind
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_queue_declare_ok_t.self).pointee
            self = .queueDeclare(
                QueueStatus(
                    name: method.queue.text,
                    messageCount: Int(method.message_count),
                    consumerCount: Int(method.consumer_count)
                )
            )
        case AMQP_QUEUE_BIND_OK_METHOD: self = .queueBind
        case AMQP_QUEUE_UNBIND_OK_METHOD: self = .queueUnbind
        case AMQP_QUEUE_PURGE_OK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_queue_purge_ok_t.self).pointee
            self = .queuePurge(messageCount: Int(method.message_count))
        case AMQP_QUEUE_DELETE_OK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_queue_delete_ok_t.self).pointee
            self = .queueDelete(messageCount: Int(method.message_count))
        case AMQP_BASIC_QOS_OK_METHOD: self = .qos
        case AMQP_BASIC_CONSUME_OK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_consume_ok_t.self).pointee
            self = .consume(consumerTag: method.consumer_tag.text)
        case AMQP_BASIC_CANCEL_OK_METHOD:
            let method = decoded.assumingMemoryBound(to: amqp_basic_cancel_ok_t.self).pointee
            self = .cancel(consumerTag: method.consumer_tag.text)
        case AMQP_BASIC_GET_EMPTY_METHOD: self = .get(nil)
        case AMQP_BASIC_RECOVER_OK_METHOD: self = .recover
        case AMQP_CONFIRM_SELECT_OK_METHOD: self = .confirmSelect
        default: return nil
        }
    }
}
