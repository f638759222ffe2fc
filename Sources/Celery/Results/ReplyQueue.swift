internal import AMQP
internal import Logging

/// The queue on which a client's results come in: how it is declared, found again, read and deleted.
struct ReplyQueue: Sendable {
    /// Results that are on their way to the reader at a time.
    ///
    /// They are acknowledged when they were taken in, so that the others wait at the broker.
    private static let prefetch = 256

    let declaration: QueueDeclaration
    private let logger: Logger

    /// What is open of it on one connection.
    struct Session: Sendable {
        let channel: any BrokerChannel
        /// Whether the queue had to be made although it was there before: what was in it is lost.
        let isNew: Bool
    }

    init(_ name: String, configuration: CeleryConfiguration, logger: Logger) {
        var arguments: FieldTable = [:]
        if let expires = configuration.resultExpires, expires > .zero {
            // RabbitMQ takes up to 32 bits of milliseconds, and no zero.
            let milliseconds = min(max(expires.inSeconds * 1000, 1), Double(UInt32.max))
            arguments["x-expires"] = .integer(Int(milliseconds))
        }
        declaration = QueueDeclaration(
            name: name,
            durable: true,
            autoDelete: configuration.resultQueueAutoDelete,
            arguments: arguments
        )
        self.logger = logger
    }

    var name: String { declaration.name }

    /// Declares the queue and consumes it.
    ///
    /// - Parameters:
    ///   - connection: a fresh connection.
    ///   - isKnown: whether it was declared before, and so should be there.
    ///   - onEvent: told of results and of the consumer's end; runs where the connection reads.
    func open(
        on connection: any BrokerConnection,
        isKnown: Bool,
        onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) async throws(AMQPError) -> Session {
        let isNew = isKnown ? try await !exists(on: connection) : false
        let channel = try await connection.openChannel()
        _ = try await channel.declareQueue(declaration)
        try await channel.qos(prefetchCount: Self.prefetch)
        _ = try await channel.consume(name, onEvent: onEvent)
        return Session(channel: channel, isNew: isNew)
    }

    /// Deletes the queue with its consumer: nobody will read what is still sent to it.
    func delete(on session: Session) async {
        do {
            try await session.channel.deleteQueue(name)
        } catch {
            logger.debug("reply queue not deleted", metadata: ["queue": "\(name)", "error": "\(error)"])
        }
    }

    private func exists(on connection: any BrokerConnection) async throws(AMQPError) -> Bool {
        let channel = try await connection.openChannel()
        do {
            var question = declaration
            question.passive = true
            _ = try await channel.declareQueue(question)
        } catch {
            guard error.code == .channelClosed, error.replyCode == 404 else { throw error }
            return false
        }
        await channel.close()
        return true
    }
}
