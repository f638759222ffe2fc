/// A method that this side sends on a channel, with its arguments as Swift values.
enum ClientMethod: Sendable, Hashable {
    case channelOpen
    case channelClose(CloseReason)
    case channelCloseOK
    case flowOK(active: Bool)
    case exchangeDeclare(ExchangeDeclaration)
    case exchangeDelete(name: String, ifUnused: Bool)
    case exchangeBind(Binding)
    case exchangeUnbind(Binding)
    case queueDeclare(QueueDeclaration)
    case queueBind(Binding)
    case queueUnbind(Binding)
    case queuePurge(name: String)
    case queueDelete(name: String, ifUnused: Bool, ifEmpty: Bool)
    case qos(prefetchCount: UInt16)
    case consume(queue: String, ConsumeOptions)
    case cancel(consumerTag: String)
    case get(queue: String, noAck: Bool)
    case ack(tag: UInt64, multiple: Bool)
    case reject(tag: UInt64, requeue: Bool)
    case nack(tag: UInt64, requeue: Bool)
    case confirmSelect
}

/// A binding of a queue or an exchange to an exchange.
struct Binding: Sendable, Hashable {
    var destination: String
    var source: String
    var routingKey: String
    var arguments: FieldTable
}

extension ClientMethod {
    /// Refuses names and arguments that AMQP cannot carry, before anything goes out.
    func check(frameMax: Int) throws(AMQPError) {
        switch self {
        case .exchangeDeclare(let exchange):
            try MessageLimits.check(short: exchange.name, "exchange")
            try MessageLimits.check(short: exchange.type, "exchange type")
            try MessageLimits.check(arguments: exchange.arguments, frameMax: frameMax)
        case .queueDeclare(let queue):
            try MessageLimits.check(short: queue.name, "queue")
            try MessageLimits.check(arguments: queue.arguments, frameMax: frameMax)
        case .exchangeBind(let binding), .exchangeUnbind(let binding), .queueBind(let binding),
            .queueUnbind(let binding):
            try MessageLimits.check(short: binding.destination, "destination")
            try MessageLimits.check(short: binding.source, "exchange")
            try MessageLimits.check(short: binding.routingKey, "routing key")
            try MessageLimits.check(arguments: binding.arguments, frameMax: frameMax)
        case .exchangeDelete(let name, _): try MessageLimits.check(short: name, "exchange")
        case .queuePurge(let name), .queueDelete(let name, _, _), .get(let name, _):
            try MessageLimits.check(short: name, "queue")
        case .consume(let queue, let options):
            try MessageLimits.check(short: queue, "queue")
            try MessageLimits.check(short: options.consumerTag, "consumer tag")
            try MessageLimits.check(arguments: options.arguments, frameMax: frameMax)
        case .cancel(let tag): try MessageLimits.check(short: tag, "consumer tag")
        case .channelOpen, .channelClose, .channelCloseOK, .flowOK, .qos, .ack, .reject, .nack, .confirmSelect: break
        }
    }
}

extension ClientMethod {
    init(_ settlement: SettlementCoalescer.Method) {
        switch settlement {
        case .ack(let tag, let multiple): self = .ack(tag: tag, multiple: multiple)
        case .reject(let tag, let requeue): self = .reject(tag: tag, requeue: requeue)
        case .nack(let tag, let requeue): self = .nack(tag: tag, requeue: requeue)
        }
    }
}
