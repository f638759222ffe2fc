internal import Synchronization

/// A channel of a connection.
///
/// Requests are awaited; `settle` and `publish` with a completion are posts, which never wait and keep their order. An
/// error of the broker's, such as a declaration that does not fit, ends the channel: what may fail belongs on a channel of
/// its own.
public final class AMQPChannel: Sendable {
    let id: ChannelID
    let connection: AMQPConnection
    private let frameMax: Int
    private let ended: OneShot<AMQPError?>

    init(id: ChannelID, connection: AMQPConnection, frameMax: Int, ended: OneShot<AMQPError?>) {
        self.id = id
        self.connection = connection
        self.frameMax = frameMax
        self.ended = ended
    }

    /// Number of the channel on its connection.
    public var number: Int { Int(id.number) }

    /// Whether the channel has ended.
    public var isClosed: Bool { ended.current != nil }

    /// Waits for the end and tells its reason; nil where this side closed it, or the waiting task is cancelled.
    public func waitUntilClosed() async -> AMQPError? {
        await ended.value() ?? nil
    }

    /// Closes the channel.
    ///
    /// Deliveries that were not settled go back to their queues.
    public func close() async {
        await connection.closeChannel(id)
    }

    // MARK: Exchanges

    /// Makes an exchange, or finds that it is there and equal; passively only the latter.
    public func declareExchange(_ exchange: ExchangeDeclaration) async throws(AMQPError) {
        _ = try await connection.request(.exchangeDeclare(exchange), on: id)
    }

    /// Deletes an exchange.
    public func deleteExchange(_ name: String, ifUnused: Bool = false) async throws(AMQPError) {
        _ = try await connection.request(.exchangeDelete(name: name, ifUnused: ifUnused), on: id)
    }

    /// Binds an exchange to another one (an extension of RabbitMQ's).
    public func bindExchange(
        _ destination: String,
        to source: String,
        routingKey: String,
        arguments: FieldTable = [:]
    ) async throws(AMQPError) {
        let binding = Binding(
            destination: destination,
            source: source,
            routingKey: routingKey,
            arguments: arguments
        )
        _ = try await connection.request(.exchangeBind(binding), on: id)
    }

    /// Takes a binding between exchanges away.
    public func unbindExchange(
        _ destination: String,
        from source: String,
        routingKey: String,
        arguments: FieldTable = [:]
    ) async throws(AMQPError) {
        let binding = Binding(
            destination: destination,
            source: source,
            routingKey: routingKey,
            arguments: arguments
        )
        _ = try await connection.request(.exchangeUnbind(binding), on: id)
    }

    // MARK: Queues

    /// Makes a queue, or finds that it is there and equal; passively only the latter.
    @discardableResult
    public func declareQueue(_ queue: QueueDeclaration) async throws(AMQPError) -> QueueStatus {
        guard case .queueDeclare(let status) = try await connection.request(.queueDeclare(queue), on: id) else {
            throw Self.wrongAnswer
        }
        return status
    }

    /// Binds a queue to an exchange.
    public func bindQueue(
        _ queue: String,
        to exchange: String,
        routingKey: String,
        arguments: FieldTable = [:]
    ) async throws(AMQPError) {
        let binding = Binding(destination: queue, source: exchange, routingKey: routingKey, arguments: arguments)
        _ = try await connection.request(.queueBind(binding), on: id)
    }

    /// Takes a queue's binding away.
    public func unbindQueue(
        _ queue: String,
        from exchange: String,
        routingKey: String,
        arguments: FieldTable = [:]
    ) async throws(AMQPError) {
        let binding = Binding(destination: queue, source: exchange, routingKey: routingKey, arguments: arguments)
        _ = try await connection.request(.queueUnbind(binding), on: id)
    }

    /// Deletes a queue; answers how many messages went with it.
    @discardableResult
    public func deleteQueue(
        _ name: String,
        ifUnused: Bool = false,
        ifEmpty: Bool = false
    ) async throws(AMQPError) -> Int {
        let method = ClientMethod.queueDelete(name: name, ifUnused: ifUnused, ifEmpty: ifEmpty)
        guard case .queueDelete(let count) = try await connection.request(method, on: id) else {
            throw Self.wrongAnswer
        }
        return count
    }

    /// Removes a queue's waiting messages; answers how many they were.
    @discardableResult
    public func purgeQueue(_ name: String) async throws(AMQPError) -> Int {
        guard case .queuePurge(let count) = try await connection.request(.queuePurge(name: name), on: id) else {
            throw Self.wrongAnswer
        }
        return count
    }

    // MARK: Consuming

    /// Sets how many unsettled deliveries each consumer that is started afterwards may hold; 0 is without limit.
    ///
    /// Always per consumer: quorum queues and RabbitMQ 4 refuse limits for a whole channel.
    public func qos(prefetchCount: Int) async throws(AMQPError) {
        guard let count = UInt16(exactly: prefetchCount) else {
            throw AMQPError(.invalidArgument, "a prefetch count is a number from 0 to 65535")
        }
        _ = try await connection.request(.qos(prefetchCount: count), on: id)
    }

    /// Starts a consumer whose messages go to a handler.
    ///
    /// - Parameter onEvent: Runs on the connection's thread: it must be quick and never block.
    /// - Returns: The consumer's tag.
    @discardableResult
    public func consume(
        _ queue: String,
        options: ConsumeOptions = ConsumeOptions(),
        onEvent: @escaping ConsumerEventHandler
    ) async throws(AMQPError) -> String {
        let consumer = ChannelCore.PendingConsumer(noAck: options.noAck, onEvent: onEvent)
        let reply = try await connection.request(.consume(queue: queue, options), on: id, consumer: consumer)
        guard case .consume(let tag) = reply else { throw Self.wrongAnswer }
        return tag
    }

    /// Ends a consumer; its unsettled deliveries stay with the channel.
    public func cancel(_ consumerTag: String) async throws(AMQPError) {
        _ = try await connection.request(.cancel(consumerTag: consumerTag), on: id)
    }

    /// Takes one message from a queue; nil if there is none.
    public func get(_ queue: String, noAck: Bool = false) async throws(AMQPError) -> IncomingMessage? {
        guard case .get(let message) = try await connection.request(.get(queue: queue, noAck: noAck), on: id) else {
            throw Self.wrongAnswer
        }
        return message
    }

    /// Gives a delivery back to the broker.
    ///
    /// Never waits; a second time, or after the channel's end, it is counted and ignored.
    public func settle(_ deliveryTag: UInt64, _ settlement: Settlement) {
        connection.loop.post(.settle(id, deliveryTag: deliveryTag, settlement))
    }

    // MARK: Publishing

    /// Publishes a message without waiting.
    ///
    /// Posts go out in their order.
    ///
    /// - Parameter completion: Told once: in confirm mode after the broker's confirm, otherwise after the write. An error
    ///   has code `unroutable` for a mandatory message that no queue took, `nacked`, `invalidArgument` and
    ///   `messageTooLarge` for a message that cannot be sent, or that of the channel's or connection's end, in which case
    ///   the message may have arrived. Code `bufferFull` means that too many publishes wait to be written: it is told at
    ///   once, on the calling thread, and the message does not go out.
    public func publish(_ message: OutgoingMessage, completion: @escaping PublishCompletion) {
        let owner = PublishOwner.completion(completion)
        do throws(AMQPError) {
            let publish = try pending(message, owner)
            if !connection.loop.postPublish(id, publish) {
                completion(.failure(AMQPError(.bufferFull, "too many publishes wait to be written")))
            }
        } catch {
            connection.loop.post(.refuse(owner, error))
        }
    }

    /// Publishes a message and waits: in confirm mode for the broker's confirm, otherwise for the write.
    ///
    /// Where too many publishes wait to be written it also waits for room, in the order of the calls.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - deadline: When to give up; nil waits as long as the connection lives.
    /// - Throws: `AMQPError` as for the other form, without `bufferFull`; code `timeout` at the deadline and `cancelled` where
    ///   the waiting task was cancelled: a message that was not written by then does not go out, and the error's message
    ///   tells so.
    public func publish(
        _ message: OutgoingMessage,
        deadline: ContinuousClock.Instant? = nil
    ) async throws(AMQPError) {
        let ticket = PublishTicket()
        connection.loop.postPublishInTurn(id, try pending(message, .ticket(ticket)), ticket)
        let timer = deadline.map { deadline in
            Task { [connection] in
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                ticket.complete(.failure(connection.giveUp(ticket, .timeout, "the publish's deadline has passed")))
            }
        }
        let result = await ticket.value()
        timer?.cancel()
        guard let result else { throw connection.giveUp(ticket, .cancelled, "the publishing task was cancelled") }
        try result.get()
    }

    private func pending(_ message: OutgoingMessage, _ owner: PublishOwner) throws(AMQPError) -> PendingPublish {
        let limit = connection.configuration.maximumPublishSize
        let bytes = try MessageLimits.check(message, frameMax: frameMax, bodyLimit: limit)
        return PendingPublish(message: message, bytes: bytes, owner: owner)
    }

    private static var wrongAnswer: AMQPError {
        AMQPError(.protocolViolation, "the broker answered another request")
    }
}
