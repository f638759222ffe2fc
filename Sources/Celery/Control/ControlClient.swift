internal import AMQP
public import CeleryProtocol
internal import FoundationEssentials
public import Logging

/// Steers and inspects the workers of a fleet, whatever language they are written in.
///
/// ```swift
/// let control = try ControlClient(configuration: .init(broker: "amqp://…"), logger: logger)
/// for (node, tasks) in try await control.active() { print(node, tasks) }
/// try await control.revoke(["3f2a…"], terminate: true)
/// ```
/// It connects when it is first used, and anew after a lost connection. Source: `celery.app.control`.
public final class ControlClient: Sendable {
    /// What is open on one connection.
    private struct Session: Sendable {
        let publishing: any BrokerChannel
        let replies: any BrokerChannel
    }

    /// How long the broker may take to accept a command.
    private static let publishLimit = Duration.seconds(30)

    private let id = TaskID.make()
    private let topology: ControlTopology
    private let clock = LogicalClock()
    private let desk: ReplyDesk
    private let connection: SharedConnection<Session>
    let logger: Logger

    /// Makes a client.
    ///
    /// - Parameters:
    ///   - configuration: the settings `broker_…` and `control_…`.
    ///   - logger: where the client logs to.
    /// - Throws: ``CeleryError/Code/invalidConfiguration``.
    public convenience init(
        configuration: CeleryConfiguration = CeleryConfiguration(),
        logger: Logger
    ) throws(CeleryError) {
        let name = "swcelery control \(ProcessIdentity.origin)"
        try self.init(
            broker: try AMQPBroker(configuration: configuration, connectionName: name, logger: logger),
            configuration: configuration,
            logger: logger
        )
    }

    /// Makes a client of any broker.
    package init(
        broker: any Broker,
        configuration: CeleryConfiguration = CeleryConfiguration(),
        logger: Logger
    ) throws(CeleryError) {
        guard !(configuration.controlQueueDurable && configuration.controlQueueExclusive) else {
            throw CeleryError(
                .invalidConfiguration,
                "control_queue_durable and control_queue_exclusive cannot both be true"
            )
        }
        let topology = ControlTopology(configuration)
        let desk = ReplyDesk(accept: AcceptedContent(configuration.acceptContent), clock: clock, logger: logger)
        let id = id
        self.topology = topology
        self.desk = desk
        self.logger = logger
        connection = SharedConnection(broker: broker, role: .publish) { connection, _ throws(AMQPError) in
            try await Self.open(connection, topology, desk, id)
        }
    }

    private static func open(
        _ connection: any BrokerConnection,
        _ topology: ControlTopology,
        _ desk: ReplyDesk,
        _ id: String
    ) async throws(AMQPError) -> Session {
        let replies = try await connection.openChannel()
        try await replies.declareExchange(topology.exchange)
        try await replies.declareExchange(topology.replyExchange)
        let queue = topology.replyQueue(id)
        _ = try await replies.declareQueue(queue)
        try await replies.bindQueue(queue.name, to: topology.replyExchange.name, routingKey: id)
        // Without its consumer the connection is of no use.
        let handler = desk.handler { Task { await connection.close() } }
        _ = try await replies.consume(queue.name, options: ConsumeOptions(noAck: true), onEvent: handler)
        return Session(publishing: try await connection.openChannel(confirms: true), replies: replies)
    }

    /// Replies that came too late, or that could not be read.
    public var unusableReplyCount: Int { desk.unusableCount }

    /// Sends a command and collects the replies.
    ///
    /// - Parameters:
    ///   - command: the command's name, one of Celery's or of an application's own.
    ///   - arguments: its arguments by name.
    ///   - target: the workers that are meant.
    ///   - timeout: how long to wait for a first reply, and after each one for the next; Celery waits for one second.
    ///   - limit: how many replies are enough; nil for as many as the target names.
    ///   - onReply: told of each reply when it comes in.
    /// - Returns: the replies in the order in which they came; none where no worker was there.
    /// - Throws: ``CeleryError``: `.connection`, `.topology`, `.timeout` where the broker does not take the command,
    ///   `.cancelled`, `.closed`.
    @discardableResult
    public func broadcast(
        _ command: String,
        arguments: JSONObject = [:],
        to target: ControlTarget = .all,
        timeout: Duration = .seconds(1),
        limit: Int? = nil,
        onReply: @escaping @Sendable (ControlReply) -> Void = { _ in }
    ) async throws(CeleryError) -> [ControlReply] {
        let session = try await connection.lease().session
        let collector = ReplyCollector(limit: limit ?? target.nodes?.count, patience: timeout, onReply: onReply)
        let ticket = TaskID.make()
        desk.open(ticket, collector)
        defer { desk.close(ticket) }
        var request = request(command, arguments, target)
        request.ticket = ticket
        request.replyTo = ControlRequest.ReplyAddress(exchange: topology.replyExchange.name, routingKey: id)
        if timeout > .zero { request.expires = Date().timeIntervalSince1970 + timeout.inSeconds }
        try await publish(request, session)
        return try await collector.replies()
    }

    /// Sends a command and asks for no reply.
    ///
    /// - Throws: ``CeleryError`` as ``broadcast(_:arguments:to:timeout:limit:onReply:)``.
    public func cast(
        _ command: String,
        arguments: JSONObject = [:],
        to target: ControlTarget = .all
    ) async throws(CeleryError) {
        let session = try await connection.lease().session
        try await publish(request(command, arguments, target), session)
    }

    /// Closes the connection; who waits for replies gets ``CeleryError/Code/connection``, later commands `.closed`.
    public func shutdown() async {
        await connection.close()
    }

    private func request(_ command: String, _ arguments: JSONObject, _ target: ControlTarget) -> ControlRequest {
        ControlRequest(
            command,
            arguments: arguments,
            destination: target.nodes,
            pattern: target.pattern?.text,
            matcher: target.pattern?.matcher.rawValue,
            clock: clock.forward()
        )
    }

    private func publish(_ request: ControlRequest, _ session: Session) async throws(CeleryError) {
        do throws(AMQPError) {
            try await session.publishing.publish(topology.message(request), deadline: .now + Self.publishLimit)
        } catch {
            if error.code == .timeout {
                throw CeleryError(.timeout, "the broker did not take the command", underlying: error)
            }
            throw CeleryError(error, "the command '\(request.method)' cannot be sent")
        }
    }
}
