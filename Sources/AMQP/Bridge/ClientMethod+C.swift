internal import CRabbitMQ

extension ClientMethod {
    /// Calls `body` with the method's number and its C structure, which lives for the call only.
    func withCStruct(
        in arena: Arena,
        _ body: (amqp_method_number_t, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        switch self {
        case .channelOpen: pass(amqp_channel_open_t(), AMQP_CHANNEL_OPEN_METHOD, body)
        case .channelClose(let reason):
            pass(
                amqp_channel_close_t(
                    reply_code: UInt16(clamping: reason.code),
                    reply_text: arena.bytes(reason.text),
                    class_id: 0,
                    method_id: 0
                ),
                AMQP_CHANNEL_CLOSE_METHOD,
                body
            )
        case .channelCloseOK: pass(amqp_channel_close_ok_t(), AMQP_CHANNEL_CLOSE_OK_METHOD, body)
        case .flowOK(let active): pass(amqp_channel_flow_ok_t(active: active.c), AMQP_CHANNEL_FLOW_OK_METHOD, body)
        case .exchangeDeclare, .exchangeDelete, .exchangeBind, .exchangeUnbind:
            withExchangeStruct(in: arena, body)
        case .queueDeclare, .queueBind, .queueUnbind, .queuePurge, .queueDelete:
            withQueueStruct(in: arena, body)
        case .qos, .consume, .cancel, .get, .ack, .reject, .nack:
            withBasicStruct(in: arena, body)
        case .confirmSelect: pass(amqp_confirm_select_t(), AMQP_CONFIRM_SELECT_METHOD, body)
        }
    }

    private func withExchangeStruct(
        in arena: Arena,
        _ body: (amqp_method_number_t, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        switch self {
        case .exchangeDeclare(let exchange):
            var method = amqp_exchange_declare_t()
            method.exchange = arena.bytes(exchange.name)
            method.type = arena.bytes(exchange.type)
            method.passive = exchange.passive.c
            method.durable = exchange.durable.c
            method.auto_delete = exchange.autoDelete.c
            method.internal = exchange.internal.c
            method.arguments = arena.table(exchange.arguments)
            return pass(method, AMQP_EXCHANGE_DECLARE_METHOD, body)
        case .exchangeDelete(let name, let ifUnused):
            var method = amqp_exchange_delete_t()
            method.exchange = arena.bytes(name)
            method.if_unused = ifUnused.c
            return pass(method, AMQP_EXCHANGE_DELETE_METHOD, body)
        case .exchangeBind(let binding):
            var method = amqp_exchange_bind_t()
            method.destination = arena.bytes(binding.destination)
            method.source = arena.bytes(binding.source)
            method.routing_key = arena.bytes(binding.routingKey)
            method.arguments = arena.table(binding.arguments)
            return pass(method, AMQP_EXCHANGE_BIND_METHOD, body)
        case .exchangeUnbind(let binding):
            var method = amqp_exchange_unbind_t()
            method.destination = arena.bytes(binding.destination)
            method.source = arena.bytes(binding.source)
            method.routing_key = arena.bytes(binding.routingKey)
            method.arguments = arena.table(binding.arguments)
            return pass(method, AMQP_EXCHANGE_UNBIND_METHOD, body)
        default: preconditionFailure("not an exchange method")
        }
    }

    private func withQueueStruct(
        in arena: Arena,
        _ body: (amqp_method_number_t, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        switch self {
        case .queueDeclare(let queue):
            var method = amqp_queue_declare_t()
            method.queue = arena.bytes(queue.name)
            method.passive = queue.passive.c
            method.durable = queue.durable.c
            method.exclusive = queue.exclusive.c
            method.auto_delete = queue.autoDelete.c
            method.arguments = arena.table(queue.arguments)
            return pass(method, AMQP_QUEUE_DECLARE_METHOD, body)
        case .queueBind(let binding):
            var method = amqp_queue_bind_t()
            method.queue = arena.bytes(binding.destination)
            method.exchange = arena.bytes(binding.source)
            method.routing_key = arena.bytes(binding.routingKey)
            method.arguments = arena.table(binding.arguments)
            return pass(method, AMQP_QUEUE_BIND_METHOD, body)
        case .queueUnbind(let binding):
            var method = amqp_queue_unbind_t()
            method.queue = arena.bytes(binding.destination)
            method.exchange = arena.bytes(binding.source)
            method.routing_key = arena.bytes(binding.routingKey)
            method.arguments = arena.table(binding.arguments)
            return pass(method, AMQP_QUEUE_UNBIND_METHOD, body)
        case .queuePurge(let name):
            var method = amqp_queue_purge_t()
            method.queue = arena.bytes(name)
            return pass(method, AMQP_QUEUE_PURGE_METHOD, body)
        case .queueDelete(let name, let ifUnused, let ifEmpty):
            var method = amqp_queue_delete_t()
            method.queue = arena.bytes(name)
            method.if_unused = ifUnused.c
            method.if_empty = ifEmpty.c
            return pass(method, AMQP_QUEUE_DELETE_METHOD, body)
        default: preconditionFailure("not a queue method")
        }
    }

    private func withBasicStruct(
        in arena: Arena,
        _ body: (amqp_method_number_t, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        switch self {
        case .qos(let count):
            return pass(
                amqp_basic_qos_t(prefetch_size: 0, prefetch_count: count, global: 0),
                AMQP_BASIC_QOS_METHOD,
                body
            )
        case .consume(let queue, let options):
            var method = amqp_basic_consume_t()
            method.queue = arena.bytes(queue)
            method.consumer_tag = arena.bytes(options.consumerTag)
            method.no_ack = options.noAck.c
            method.exclusive = options.exclusive.c
            method.arguments = arena.table(options.arguments)
            return pass(method, AMQP_BASIC_CONSUME_METHOD, body)
        case .cancel(let tag):
            return pass(
                amqp_basic_cancel_t(consumer_tag: arena.bytes(tag), nowait: 0),
                AMQP_BASIC_CANCEL_METHOD,
                body
            )
        case .get(let queue, let noAck):
            return pass(
                amqp_basic_get_t(ticket: 0, queue: arena.bytes(queue), no_ack: noAck.c),
                AMQP_BASIC_GET_METHOD,
                body
            )
        case .ack(let tag, let multiple):
            return pass(amqp_basic_ack_t(delivery_tag: tag, multiple: multiple.c), AMQP_BASIC_ACK_METHOD, body)
        case .reject(let tag, let requeue):
            return pass(amqp_basic_reject_t(delivery_tag: tag, requeue: requeue.c), AMQP_BASIC_REJECT_METHOD, body)
        case .nack(let tag, let requeue):
            return pass(
                amqp_basic_nack_t(delivery_tag: tag, multiple: 0, requeue: requeue.c),
                AMQP_BASIC_NACK_METHOD,
                body
            )
        default: preconditionFailure("not a basic method")
        }
    }

    private func pass<Method>(
        _ method: Method,
        _ number: amqp_method_number_t,
        _ body: (amqp_method_number_t, UnsafeMutableRawPointer) -> Int32
    ) -> Int32 {
        var method = method
        return withUnsafeMutablePointer(to: &method) { body(number, UnsafeMutableRawPointer($0)) }
    }
}

extension Bool {
    /// librabbitmq's boolean.
    fileprivate var c: amqp_boolean_t { self ? 1 : 0 }
}
