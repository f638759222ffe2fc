internal import AMQP
internal import Celery

/// A channel to the broker in memory.
final class InMemoryChannel: BrokerChannel {
    /// A channel keeps its connection open.
    private let connection: InMemoryConnection
    private let broker: InMemoryBroker
    private let id: Int
    private let ended: Pending<AMQPError?>

    init(connection: InMemoryConnection, broker: InMemoryBroker, id: Int, ended: Pending<AMQPError?>) {
        self.connection = connection
        self.broker = broker
        self.id = id
        self.ended = ended
    }

    // MARK: Exchanges

    func declareExchange(_ declaration: ExchangeDeclaration) async throws(AMQPError) {
        try broker.update { state throws(AMQPError) in try state.declareExchange(declaration, on: id) }
    }

    func deleteExchange(_ name: String, ifUnused: Bool) async throws(AMQPError) {
        try broker.update { state throws(AMQPError) in
            try state.deleteExchange(name, ifUnused: ifUnused, on: id)
        }
    }

    func bindExchange(
        _ destination: String,
        to source: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError) {
        try bind(.exchange(destination), source, routingKey, arguments)
    }

    func unbindExchange(
        _ destination: String,
        from source: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError) {
        try unbind(.exchange(destination), source, routingKey, arguments)
    }

    // MARK: Queues

    func declareQueue(_ declaration: QueueDeclaration) async throws(AMQPError) -> QueueStatus {
        try broker.update { state throws(AMQPError) in try state.declareQueue(declaration, on: id) }
    }

    func bindQueue(
        _ queue: String,
        to exchange: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError) {
        try bind(.queue(queue), exchange, routingKey, arguments)
    }

    func unbindQueue(
        _ queue: String,
        from exchange: String,
        routingKey: String,
        arguments: FieldTable
    ) async throws(AMQPError) {
        try unbind(.queue(queue), exchange, routingKey, arguments)
    }

    func deleteQueue(_ name: String, ifUnused: Bool, ifEmpty: Bool) async throws(AMQPError) -> Int {
        try broker.update { state throws(AMQPError) in
            try state.deleteQueue(name, ifUnused: ifUnused, ifEmpty: ifEmpty, on: id)
        }
    }

    func purgeQueue(_ name: String) async throws(AMQPError) -> Int {
        try broker.update { state throws(AMQPError) in try state.purgeQueue(name, on: id) }
    }

    // MARK: Consuming

    func qos(prefetchCount: Int) async throws(AMQPError) {
        guard (0...65_535).contains(prefetchCount) else {
            throw AMQPError(.invalidArgument, "a prefetch count is a number from 0 to 65535")
        }
        try broker.update { state throws(AMQPError) in
            _ = try state.channel(id)
            state.channels[id]?.prefetchCount = prefetchCount
        }
    }

    func consume(
        _ queue: String,
        options: ConsumeOptions,
        onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) async throws(AMQPError) -> String {
        try broker.update { state throws(AMQPError) in
            try state.consume(queue, options: options, on: id, onEvent: onEvent)
        }
    }

    func cancel(_ consumerTag: String) async throws(AMQPError) {
        try broker.update { state throws(AMQPError) in try state.cancel(consumerTag, on: id) }
    }

    func get(_ queue: String, noAck: Bool) async throws(AMQPError) -> IncomingMessage? {
        try broker.update { state throws(AMQPError) in try state.get(queue, noAck: noAck, on: id) }
    }

    func settle(_ deliveryTag: UInt64, _ settlement: Settlement) {
        broker.change { $0.settle(deliveryTag, settlement, on: id) }
    }

    // MARK: Publishing

    func publish(_ message: OutgoingMessage, completion: @escaping @Sendable (Result<Void, AMQPError>) -> Void) {
        broker.change { $0.publish(message, on: id, completion) }
    }

    func publish(_ message: OutgoingMessage, deadline: ContinuousClock.Instant?) async throws(AMQPError) {
        let pending = Pending<Result<Void, AMQPError>>()
        publish(message) { pending.settle(.success($0)) }
        let timer = deadline.map { deadline in
            Task {
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                pending.settle(.success(.failure(AMQPError(.timeout, "the publish's deadline has passed"))))
            }
        }
        defer { timer?.cancel() }
        guard let outcome = try? await pending.value() else {
            throw AMQPError(.cancelled, "the publishing task was cancelled")
        }
        try outcome.get()
    }

    // MARK: Closing

    func waitUntilClosed() async -> AMQPError? {
        (try? await ended.value()) ?? nil
    }

    func close() async {
        broker.change { $0.closeChannel(id, nil) }
    }

    // MARK: Bindings

    private func bind(
        _ destination: MemoryExchange.Destination,
        _ source: String,
        _ routingKey: String,
        _ arguments: FieldTable
    ) throws(AMQPError) {
        try broker.update { state throws(AMQPError) in
            try state.bind(destination, to: source, routingKey: routingKey, arguments: arguments, on: id)
        }
    }

    private func unbind(
        _ destination: MemoryExchange.Destination,
        _ source: String,
        _ routingKey: String,
        _ arguments: FieldTable
    ) throws(AMQPError) {
        try broker.update { state throws(AMQPError) in
            try state.unbind(destination, from: source, routingKey: routingKey, arguments: arguments, on: id)
        }
    }
}
