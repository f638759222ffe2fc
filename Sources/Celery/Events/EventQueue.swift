internal import AMQP

/// The exchange of events, and the queue in which one receiver gets them.
struct EventQueue: Sendable {
    let exchange: ExchangeDeclaration
    let queue: QueueDeclaration
    let routingKey: String

    /// Makes a queue with a fresh name: one of a connection that was lost may still be there, and be locked.
    init(configuration: CeleryConfiguration, routingKey: String) {
        exchange = ExchangeDeclaration(name: configuration.eventExchange, type: "topic")
        var arguments: FieldTable = [:]
        arguments["x-expires"] = configuration.eventQueueExpires.map { .milliseconds($0) }
        arguments["x-message-ttl"] = configuration.eventQueueTTL.map { .milliseconds($0) }
        queue = QueueDeclaration(
            name: "\(configuration.eventQueuePrefix).\(TaskID.make())",
            durable: configuration.eventQueueDurable,
            exclusive: configuration.eventQueueExclusive,
            autoDelete: !configuration.eventQueueDurable,
            arguments: arguments
        )
        self.routingKey = routingKey
    }

    /// Declares all and consumes; events need no acknowledgement.
    func consume(
        on channel: any BrokerChannel,
        onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) async throws(AMQPError) {
        try await channel.declareExchange(exchange)
        _ = try await channel.declareQueue(queue)
        try await channel.bindQueue(queue.name, to: exchange.name, routingKey: routingKey)
        _ = try await channel.consume(queue.name, options: ConsumeOptions(noAck: true), onEvent: onEvent)
    }
}

extension FieldValue {
    /// A span as RabbitMQ's arguments want it: whole milliseconds within 32 bits.
    static func milliseconds(_ duration: Duration) -> FieldValue {
        .integer(Int(min(max(duration.inSeconds * 1000, 0), Double(UInt32.max))))
    }
}
