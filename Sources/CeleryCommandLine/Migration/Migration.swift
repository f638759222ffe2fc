import AMQP
import Celery

/// Moves or copies tasks from the queues of one broker to another one, or to queues of other names.
///
/// Source of the rules: `celery.contrib.migrate`. A message is acknowledged at the source after the destination's confirm;
/// whatever dies in between, nothing is lost, and what nobody can know about stays at the source.
struct Migration: Sendable {
    /// What is asked for.
    struct Plan: Sendable {
        var queues = QueueMap.none
        var limit: Int?
        var tasks: Set<String> = []
        var acknowledges = false
        /// How long the source may have nothing; nil to wait for ever.
        var timeout: Duration?
    }

    /// How many publishes wait for their confirm at a time.
    private static let window = 256
    /// How long an empty source is left alone.
    private static let poll = Duration.milliseconds(200)

    let plan: Plan
    /// The queues of the source, as the configuration knows them.
    let sources: [Queue]
    let report: MigrationReport
    let source: any BrokerConnection
    let destination: any BrokerConnection
    let declarer: TopologyDeclarer

    /// The queues of a plan: those that it names, or else all that the configuration knows.
    ///
    /// - Throws: `CeleryError` with the code `queueNotFound`.
    static func sources(_ plan: Plan, _ table: QueueTable) throws(CeleryError) -> [Queue] {
        guard !plan.queues.pairs.isEmpty else { return table.all.filter { !$0.isBroadcast } }
        var sources: [Queue] = []
        for pair in plan.queues.pairs { sources.append(try table.queue(named: pair.old)) }
        return sources
    }

    /// Runs to the end: the limit, or a source that has nothing for as long as the timeout.
    ///
    /// - Throws: what ended either connection, after the confirms that came were acknowledged; `CeleryError` where the
    ///   destination cannot be prepared.
    func run() async throws {
        let channel = try await source.openChannel()
        let present = try await prepare(channel)
        let pipe = MigrationPipe(
            source: channel,
            destination: try await destination.openChannel(confirms: true),
            count: MigrationCount(limit: plan.limit, tasks: plan.tasks, acknowledges: plan.acknowledges),
            report: report,
            window: Self.window
        )
        do {
            try await pump(present, channel, pipe)
            try await pipe.drain()
        } catch {
            await pipe.abandon()
            throw error
        }
        // Also flushes the acknowledgements.
        await channel.close()
    }

    /// Takes messages in turn from each queue that has some.
    private func pump(_ queues: [Queue], _ channel: any BrokerChannel, _ pipe: MigrationPipe) async throws {
        var idleSince = ContinuousClock.now
        while !(await pipe.isComplete) {
            var isIdle = true
            for queue in queues {
                while !(await pipe.isComplete), let message = try await channel.get(queue.name, noAck: false) {
                    isIdle = false
                    let migrated = MigratedMessage(message, queues: plan.queues)
                    try await pipe.send(migrated) { [declarer] exchange throws(CeleryError) in
                        try await declarer.checkExchange(exchange)
                    }
                }
            }
            if !isIdle { idleSince = .now }
            if let timeout = plan.timeout, ContinuousClock.now - idleSince >= timeout { return }
            try await pipe.check()
            if isIdle { try await Task.sleep(for: Self.poll) }
        }
    }

    /// Declares the destination's queues, and finds out which of the source's are there.
    private func prepare(_ channel: any BrokerChannel) async throws -> [Queue] {
        var present: [Queue] = []
        for queue in sources {
            guard let count = try await waiting(queue.name) else {
                report.remark("The source has no queue '\(queue.name)'.")
                continue
            }
            report.expect(count)
            present.append(queue)
            try await declarer.declare(renamed(queue))
        }
        return present
    }

    /// How many messages wait in a queue of the source; nil where there is none.
    private func waiting(_ queue: String) async throws(AMQPError) -> Int? {
        let channel = try await source.openChannel()
        do throws(AMQPError) {
            let count = try await channel.declareQueue(QueueDeclaration(name: queue, passive: true)).messageCount
            await channel.close()
            return count
        } catch {
            guard error.code == .channelClosed, error.replyCode == 404 else { throw error }
            return nil
        }
    }

    /// The queue at the destination: name, and what has the same name.
    private func renamed(_ queue: Queue) -> Queue {
        let name = plan.queues.renamed(queue.name)
        guard name != queue.name else { return queue }
        var renamed = queue
        if renamed.routingKey == queue.name { renamed.routingKey = name }
        if renamed.exchange?.name == queue.name { renamed.exchange?.name = name }
        renamed.name = name
        return renamed
    }
}
