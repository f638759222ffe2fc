import AMQP
import Celery
import CeleryProtocol

/// Where a worker's own questions to the others go, and where their replies come in.
///
/// The names and arguments are those of `kombu.pidbox.Mailbox`.
struct MingleTopology: Sendable {
    private let requests: ExchangeDeclaration
    private let replies: ExchangeDeclaration
    private let exclusive: Bool
    private let durable: Bool
    private let arguments: FieldTable
    /// The worker's own mailbox; nil where it has none.
    private let mailbox: Queue?

    init(_ celery: CeleryConfiguration, hostname: String) {
        mailbox = celery.workerEnableRemoteControl ? ControlMailbox.queue(of: hostname, celery) : nil
        requests = ExchangeDeclaration(name: "\(celery.controlExchange).pidbox", type: "fanout", durable: false)
        replies = ExchangeDeclaration(name: "reply.\(celery.controlExchange).pidbox", type: "direct", durable: false)
        exclusive = celery.controlQueueExclusive
        durable = celery.controlQueueDurable
        arguments = FieldTable(ttl: celery.controlQueueTTL, expires: celery.controlQueueExpires)
    }

    /// An address for the replies to one request.
    func makeAddress() -> ControlRequest.ReplyAddress {
        ControlRequest.ReplyAddress(exchange: replies.name, routingKey: TaskID.make())
    }

    /// Declares everything, and consumes what comes to the address.
    func prepare(
        _ address: ControlRequest.ReplyAddress,
        on channel: any BrokerChannel,
        _ onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) async throws(AMQPError) {
        let queue = QueueDeclaration(
            name: "\(address.routingKey).\(replies.name)",
            durable: durable,
            exclusive: exclusive,
            autoDelete: !durable,
            arguments: arguments
        )
        try await channel.declareExchange(requests)
        try await channel.declareExchange(replies)
        if let mailbox {
            // First, so that of two workers that start at the same time at least one hears the other.
            _ = try await channel.declareQueue(mailbox.declaration)
            try await channel.bindQueue(mailbox.name, to: requests.name, routingKey: mailbox.routingKey ?? "")
        }
        _ = try await channel.declareQueue(queue)
        try await channel.bindQueue(queue.name, to: replies.name, routingKey: address.routingKey)
        _ = try await channel.consume(queue.name, options: ConsumeOptions(noAck: true), onEvent: onEvent)
    }

    /// The message of a request to all workers.
    func message(_ request: ControlRequest) -> OutgoingMessage {
        OutgoingMessage(
            exchange: requests.name,
            routingKey: "",
            mandatory: false,
            properties: request.properties(),
            body: request.encodedBody()
        )
    }
}

extension Duration {
    /// The duration for an argument of a queue: RabbitMQ takes up to 32 bits of milliseconds.
    fileprivate var argument: FieldValue { .integer(Int(min(max(seconds * 1_000, 1), Double(UInt32.max)))) }
}

extension FieldTable {
    /// The arguments of a queue whose messages and which itself do not last.
    init(ttl: Duration?, expires: Duration?) {
        self = [:]
        if let expires { self["x-expires"] = expires.argument }
        if let ttl { self["x-message-ttl"] = ttl.argument }
    }
}
