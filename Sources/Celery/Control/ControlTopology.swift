internal import AMQP
internal import CeleryProtocol

/// The exchanges and the reply queue of remote control, as a client uses them.
///
/// Source: `kombu.pidbox.Mailbox`.
struct ControlTopology: Sendable {
    /// The exchange by which commands reach all workers.
    let exchange: ExchangeDeclaration
    /// The exchange by which their replies come back.
    let replyExchange: ExchangeDeclaration
    private let configuration: CeleryConfiguration

    init(_ configuration: CeleryConfiguration) {
        let name = configuration.controlExchange
        exchange = ExchangeDeclaration(name: "\(name).pidbox", type: "fanout", durable: false)
        replyExchange = ExchangeDeclaration(name: "reply.\(name).pidbox", durable: false)
        self.configuration = configuration
    }

    /// The queue in which replies to this id come in.
    func replyQueue(_ id: String) -> QueueDeclaration {
        var arguments: FieldTable = [:]
        arguments["x-expires"] = configuration.controlQueueExpires.map { .milliseconds($0) }
        arguments["x-message-ttl"] = configuration.controlQueueTTL.map { .milliseconds($0) }
        return QueueDeclaration(
            name: "\(id).\(replyExchange.name)",
            durable: configuration.controlQueueDurable,
            exclusive: configuration.controlQueueExclusive,
            autoDelete: !configuration.controlQueueDurable,
            arguments: arguments
        )
    }

    /// The message of a request; nobody has to listen.
    func message(_ request: ControlRequest) -> OutgoingMessage {
        OutgoingMessage(
            exchange: exchange.name,
            routingKey: "",
            mandatory: false,
            properties: request.properties(),
            body: request.encodedBody()
        )
    }
}
