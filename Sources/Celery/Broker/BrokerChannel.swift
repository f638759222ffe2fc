package import AMQP

/// A channel of a broker's connection; the methods are those of `AMQPChannel`.
///
/// `settle` and `publish(_:completion:)` only post and never block; consumers' and completions' closures run where the
/// connection reads, so they have to be quick.
package protocol BrokerChannel: Sendable {
    /// Declares an exchange.
    func declareExchange(_ declaration: ExchangeDeclaration) async throws(AMQPError)
    /// Deletes an exchange.
    func deleteExchange(_ name: String, ifUnused: Bool) async throws(AMQPError)
    /// Binds an exchange to another one.
    func bindExchange(
        _ destination: String,
        to source: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError)
    /// Removes a binding between exchanges.
    func unbindExchange(
        _ destination: String,
        from source: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError)
    /// Declares a queue.
    func declareQueue(_ declaration: QueueDeclaration) async throws(AMQPError) -> QueueStatus
    /// Binds a queue to an exchange.
    func bindQueue(
        _ queue: String,
        to exchange: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError)
    /// Removes a queue's binding.
    func unbindQueue(
        _ queue: String,
        from exchange: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError)
    /// Deletes a queue and answers how many messages it held.
    func deleteQueue(_ name: String, ifUnused: Bool, ifEmpty: Bool) async throws(AMQPError) -> Int
    /// Removes a queue's waiting messages and answers how many there were.
    func purgeQueue(_ name: String) async throws(AMQPError) -> Int
    /// Bounds the unsettled deliveries of each consumer that is started afterwards; 0 is no bound.
    func qos(prefetchCount: Int) async throws(AMQPError)
    /// Starts a consumer and answers its tag.
    func consume(
        _ queue: String,
        options: ConsumeOptions,
        onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) async throws(AMQPError) -> String
    /// Stops a consumer.
    func cancel(_ consumerTag: String) async throws(AMQPError)
    /// Takes one message, where there is one.
    func get(_ queue: String, noAck: Bool) async throws(AMQPError) -> IncomingMessage?
    /// Posts the settlement of a delivery; does nothing once the channel is closed.
    func settle(_ deliveryTag: UInt64, _ settlement: Settlement)
    /// Posts a message. With confirms the completion comes with the broker's answer, without them after the write.
    func publish(_ message: OutgoingMessage, completion: @escaping @Sendable (Result<Void, AMQPError>) -> Void)
    /// Publishes a message and waits as `publish(_:completion:)` tells, at most until the deadline (code `timeout`).
    func publish(_ message: OutgoingMessage, deadline: ContinuousClock.Instant?) async throws(AMQPError)
    /// Returns when the channel has ended: nil when this side closed it, else the reason.
    func waitUntilClosed() async -> AMQPError?
    /// Closes the channel.
    func close() async
}

extension BrokerChannel {
    /// Publishes a message and waits as `publish(_:completion:)` tells, as long as the connection lives.
    package func publish(_ message: OutgoingMessage) async throws(AMQPError) {
        try await publish(message, deadline: nil)
    }

    /// Binds an exchange to another one, without arguments.
    package func bindExchange(
        _ destination: String,
        to source: String,
        routingKey: String
    ) async throws(AMQPError) {
        try await bindExchange(destination, to: source, routingKey: routingKey, arguments: [:])
    }

    /// Binds a queue to an exchange, without arguments.
    package func bindQueue(_ queue: String, to exchange: String, routingKey: String) async throws(AMQPError) {
        try await bindQueue(queue, to: exchange, routingKey: routingKey, arguments: [:])
    }

    /// Deletes a queue, whether it is used and filled or not.
    @discardableResult
    package func deleteQueue(_ name: String) async throws(AMQPError) -> Int {
        try await deleteQueue(name, ifUnused: false, ifEmpty: false)
    }

    /// Starts a consumer with the default options: deliveries have to be settled.
    package func consume(
        _ queue: String,
        onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) async throws(AMQPError) -> String {
        try await consume(queue, options: ConsumeOptions(), onEvent: onEvent)
    }
}
