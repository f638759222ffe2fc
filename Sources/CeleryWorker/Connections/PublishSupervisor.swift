import AMQP
import Celery
import Logging
import Synchronization

/// Keeps the publishing connection: one channel with confirms for results, one for tasks, each opened again when lost.
struct PublishSupervisor: Sendable {
    let broker: any Broker
    let configuration: CeleryConfiguration
    let results: ConfirmPublisher
    let tasks: ConfirmPublisher
    let topology: CurrentValue<TopologyDeclarer>
    let counters: WorkerCounters
    let logger: Logger
    /// What is known of the queues and exchanges, over all connections.
    let memory: TopologyMemory
    /// Where the supervisor's own tasks run: threads that no task body can hold up.
    let executor: ThreadExecutor

    /// Runs until the task is cancelled, then closes the connection.
    ///
    /// - Throws: ``CeleryError`` when no further attempt to connect is allowed.
    func run() async throws(CeleryError) {
        var reconnector = Reconnector(
            broker: broker,
            role: .publish,
            configuration: configuration,
            reconnects: counters.publishReconnects,
            logger: logger
        )
        while !Task.isCancelled {
            let connection: any BrokerConnection
            do {
                connection = try await reconnector.connect().connection
            } catch  where error.code == .cancelled {
                return
            }
            watchBlocking(of: connection)
            topology.set(TopologyDeclarer(connection: connection, logger: logger, memory: memory))
            await serve(connection)
            topology.set(nil)
            await connection.close()
            guard !Task.isCancelled else { return }
            try await reconnector.lost(await connection.waitUntilClosed())
        }
    }

    /// Counts how often the broker asks for a pause; the connection itself logs it.
    private func watchBlocking(of connection: any BrokerConnection) {
        let note: BlockedHandler = { [counters] state in
            if state.isBlocked { counters.blockedPublishing.add() }
            counters.isPublishingBlocked.store(state.isBlocked, ordering: .relaxed)
        }
        let before = connection.onBlockedChange(note)
        if before.isBlocked { note(before) }
    }

    /// Serves both publishers until the connection has ended or the task is cancelled.
    private func serve(_ connection: any BrokerConnection) async {
        await withTaskGroup(of: Void.self) { group in
            for publisher in [results, tasks] {
                group.addTask { await serve(publisher, on: connection) }
            }
            // Without a channel for one of them the connection is of no use.
            await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ publisher: ConfirmPublisher, on connection: any BrokerConnection) async {
        var oneByOne = false
        while !Task.isCancelled {
            let channel: any BrokerChannel
            do {
                channel = try await connection.openChannel(confirms: true)
            } catch {
                if !Task.isCancelled { logger.debug("no channel for publishing", error: error) }
                return
            }
            let ended = Gate<AMQPError?>()
            Task(executorPreference: executor) { ended.open(await channel.waitUntilClosed()) }
            await publisher.attach(channel, oneByOne: oneByOne)
            let end = await ended.waitUnlessCancelled()
            publisher.detach()
            guard let end = end ?? nil else { return }
            logger.warning("A publishing channel has ended", error: end)
            oneByOne = end.replyCode != nil
        }
    }
}
