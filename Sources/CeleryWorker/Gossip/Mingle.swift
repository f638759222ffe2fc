import AMQP
import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

/// Asks the other workers for their clocks and revoked ids, each time before this one begins to consume tasks.
///
/// A worker that was away would otherwise run tasks that were revoked meanwhile. It is never an obstacle: a broker that does
/// not answer, and replies that cannot be read, cost the time and nothing else. Source of the rules:
/// `celery.worker.consumer.mingle`.
struct Mingle: Sendable {
    /// How many replies may wait to be read.
    private static let backlog = 256

    /// This worker's name.
    let hostname: String
    let topology: MingleTopology
    let revoked: RevokedIDs
    /// How many ids are taken from one worker.
    let capacity: Int
    /// The worker's clock.
    let clock: LogicalClock
    /// The clock of these requests, which is another one, as in Celery.
    let requestClock = LogicalClock()
    /// The content types of replies that are read.
    let accept: AcceptedContent
    /// Where its own tasks run.
    let executor: ThreadExecutor
    let logger: Logger
    /// How long is waited for the first reply, and after each for the next one.
    var timeout = Duration.seconds(1)
    /// How long it may last in all: a broker that is this slow does not let tasks be consumed, either.
    var limit = Duration.seconds(30)

    /// Asks over this connection, and takes over what the others answer.
    func sync(over connection: any BrokerConnection) async {
        logger.info("mingle: searching for neighbors")
        let done = Gate<Void>()
        let work = Task(executorPreference: executor) {
            let nodes = await ask(connection)
            if !Task.isCancelled { report(nodes) }
            done.open()
        }
        let alarm = Alarm.after(limit) {
            logger.warning("mingle: the broker does not answer, going on without")
            done.open()
        }
        _ = await done.waitUnlessCancelled()
        alarm.cancel()
        work.cancel()
    }

    private func report(_ nodes: Int?) {
        guard let nodes else { return }
        if nodes == 0 {
            logger.info("mingle: all alone")
        } else {
            logger.info("mingle: sync with \(nodes) nodes")
            logger.info("mingle: sync complete")
        }
    }

    /// How many nodes have answered; nil where they could not be asked.
    private func ask(_ connection: any BrokerConnection) async -> Int? {
        let (replies, inbox) = AsyncStream.makeStream(
            of: IncomingMessage.self,
            bufferingPolicy: .bufferingOldest(Self.backlog)
        )
        let address = topology.makeAddress()
        do throws(AMQPError) {
            let channel = try await connection.openChannel()
            let logger = logger
            try await topology.prepare(address, on: channel) { event in
                guard case .deliveries(let messages) = event else { return inbox.finish() }
                for message in messages {
                    if case .dropped = inbox.yield(message) {
                        logger.warning("mingle: too many replies, one is dropped")
                    }
                }
            }
            let ticket = TaskID.make()
            try await channel.publish(topology.message(hello(ticket, address)))
            let nodes = await collect(replies, ticket) { Alarm.after(timeout) { inbox.finish() } }
            await channel.close()
            return nodes
        } catch {
            if !Task.isCancelled { logger.warning("mingle: cannot ask, going on without", error: error) }
            return nil
        }
    }

    private func hello(_ ticket: String, _ address: ControlRequest.ReplyAddress) -> ControlRequest {
        ControlRequest(
            "hello",
            arguments: [
                "from_node": .string(hostname), "revoked": .array(revoked.shared().map { .string($0) }),
            ],
            ticket: ticket,
            replyTo: address,
            clock: requestClock.forward(),
            expires: Date().timeIntervalSince1970 + timeout.seconds
        )
    }

    private func collect(
        _ messages: AsyncStream<IncomingMessage>,
        _ ticket: String,
        _ makeAlarm: () -> Alarm.Pending
    ) async -> Int {
        var nodes: Set<String> = []
        var alarm = makeAlarm()
        defer { alarm.cancel() }
        for await message in messages {
            do throws(ProtocolError) {
                let reply = try ControlReply(decoding: message.properties, body: message.body, accept: accept)
                guard reply.ticket == ticket, reply.node != hostname, nodes.insert(reply.node).inserted else {
                    continue
                }
                take(reply)
                alarm.cancel()
                alarm = makeAlarm()
            } catch {
                logger.warning("mingle: a reply cannot be read", metadata: ["error": "\(error)"])
            }
        }
        return nodes.count
    }

    private func take(_ reply: ControlReply) {
        logger.debug("mingle: processing reply from \(reply.node.loggable)")
        guard let reply = MingleReply(reply, capacity: capacity) else { return }
        if let time = reply.clock { clock.adjust(time) } else { clock.forward() }
        if reply.refused > 0 {
            logger.warning(
                "mingle: some revoked ids are not taken over",
                metadata: ["node": "\(reply.node.loggable)", "ids": "\(reply.refused)"]
            )
        }
        revoked.merge(reply.revoked)
    }
}
