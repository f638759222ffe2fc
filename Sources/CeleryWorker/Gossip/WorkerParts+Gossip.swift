import AMQP
import Celery
import CeleryProtocol
import Logging

// How a worker's parts for the others of its fleet are put together.
extension WorkerParts {
    /// The revoked ids as they are shared with other workers.
    var revokedIDs: RevokedIDs { RevokedIDs(revocations: revocations, intake: intake) }

    /// Listens to the other workers; nil where the worker is not to.
    static func gossip(
        _ configuration: WorkerConfiguration,
        _ celery: CeleryConfiguration,
        broker: any Broker,
        consuming: ConsumerSupervisor,
        events: EventDispatcher,
        winner: ElectionWinner,
        executor: ThreadExecutor,
        logger: Logger
    ) -> Gossip? {
        guard configuration.gossips, broker.isShared else { return nil }
        return Gossip(
            Gossip.Environment(
                hostname: events.hostname,
                processID: ProcessIdentity.processID,
                consumer: Gossip.consumer(celery, interval: configuration.heartbeatInterval),
                consuming: consuming,
                clock: events.clock,
                accept: AcceptedContent(celery.acceptContent + ["json"]),
                send: { events.send($0, fields: $1) },
                winner: winner,
                executor: executor,
                logger: logger
            )
        )
    }

    /// What is done before tasks are consumed on a new connection: nil where the worker is not to ask the others.
    static func prelude(
        _ configuration: WorkerConfiguration,
        _ celery: CeleryConfiguration,
        broker: any Broker,
        hostname: String,
        revoked: RevokedIDs,
        clock: LogicalClock,
        executor: ThreadExecutor,
        logger: Logger
    ) -> (@Sendable (any BrokerConnection) async -> Void)? {
        guard configuration.mingles, broker.isShared else { return nil }
        let mingle = Mingle(
            hostname: hostname,
            topology: MingleTopology(celery, hostname: hostname),
            revoked: revoked,
            capacity: revoked.revocations.capacity,
            clock: clock,
            accept: AcceptedContent(celery.acceptContent),
            executor: executor,
            logger: logger
        )
        return { await mingle.sync(over: $0) }
    }
}

extension Gossip {
    /// The consumer of the events of workers: those of before the start are worth nothing, and late ones little.
    fileprivate static func consumer(_ celery: CeleryConfiguration, interval: Duration) -> DesiredConsumer {
        let queue = Queue(
            "\(celery.eventQueuePrefix).\(TaskID.make())",
            exchange: ExchangeDeclaration(name: celery.eventExchange, type: "topic"),
            routingKey: "worker.#",
            arguments: FieldTable(ttl: interval, expires: celery.eventQueueExpires),
            durable: celery.eventQueueDurable,
            exclusive: celery.eventQueueExclusive,
            autoDelete: !celery.eventQueueDurable
        )
        return DesiredConsumer(queue, role: .events, tagPrefix: "events", credit: 0, noAck: true)
    }
}

extension Worker {
    /// The node names of the other workers that live, as far as their events tell, sorted.
    ///
    /// Empty with `--without-gossip`, and of workers without heartbeats nothing is known.
    public var neighbors: [String] { parts.gossip?.neighbors ?? [] }
}
