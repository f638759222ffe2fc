internal import AMQP
package import Logging
internal import Synchronization

/// Publishes task messages over one connection with confirms, many at a time, and tries again when it breaks.
package final class Publisher: Sendable {
    /// What is set up on the connection.
    struct Session: Sendable {
        let connection: any BrokerConnection
        let channel: any BrokerChannel
        let topology: TopologyDeclarer
    }

    /// Messages that are tried again on a channel of their own at a time.
    private static let soloChannels = 8

    private let connection: SharedConnection<Session>
    private let window: SlotPool
    private let solo = SlotPool(capacity: soloChannels)
    private let memory: TopologyMemory
    private let maxBodySize: Int
    private let logger: Logger

    package init(broker: any Broker, configuration: CeleryConfiguration, logger: Logger) {
        window = SlotPool(capacity: configuration.publishWindow)
        maxBodySize = configuration.publishMaxBodySize
        self.logger = logger
        let memory = TopologyMemory()
        self.memory = memory
        connection = SharedConnection(broker: broker, role: .publish) { connection, _ throws(AMQPError) in
            let state = connection.onBlockedChange { Self.log($0, logger) }
            if state.isBlocked { Self.log(state, logger) }
            return Session(
                connection: connection,
                channel: try await connection.openChannel(confirms: true),
                topology: TopologyDeclarer(connection: connection, logger: logger, memory: memory)
            )
        }
    }

    /// Whether the broker holds publishers back, and why.
    var blockedState: BlockedState { connection.session?.connection.blockedState ?? .unblocked }

    /// Publishes a message and waits until the broker has taken it.
    ///
    /// After a connection error the same message is published again, as its policy tells; the broker may then have it
    /// twice, under the same task id. A full queue is tried again likewise.
    ///
    /// - Throws: ``CeleryError``: `.unroutable`, `.queueFull`, `.messageTooLarge`, `.topology`, `.connection`, `.cancelled`,
    ///   `.closed`.
    package func publish(_ task: ComposedTask) async throws(CeleryError) {
        try checkSize(of: task)
        if case .worker(let exchange)? = task.delay { memory.noteUndelayed(exchange: exchange, logger) }
        try await window.acquire()
        defer { window.release() }
        try await retrying(task.retryPolicy, logger: logger) { () async throws(CeleryError) in
            do throws(CeleryError) {
                try await deliver(task)
            } catch {
                // What was declared on this connection may have been deleted, or have expired, since.
                guard error.code == .unroutable, let queue = task.queue, task.retryPolicy != nil,
                    connection.session?.topology.forget(queue) == true
                else { throw error }
                try await deliver(task)
            }
        }
    }

    /// Closes the connection, after what is in flight has been confirmed or the time is over.
    package func close(patience: Duration = .seconds(5)) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.window.drained() }
            group.addTask { try? await Task.sleep(for: patience) }
            await group.next()
            await self.connection.close()
            group.cancelAll()
        }
    }

    /// Why a publish failed.
    private struct Failure: Error {
        var error: CeleryError
        /// Whether the broker ended the channel on purpose, which hits every message in flight on it.
        var endsChannel = false
    }

    private func deliver(_ task: ComposedTask) async throws(CeleryError) {
        do throws(Failure) {
            try await attempt(task)
        } catch {
            // The broker ended the channel because of some message on it. On a channel of its own, only the message that it
            // will not have fails.
            guard error.endsChannel, task.retryPolicy != nil else { throw error.error }
            try await attemptAlone(task)
        }
    }

    private func attempt(_ task: ComposedTask) async throws(Failure) {
        let lease: SharedConnection<Session>.Lease
        do throws(CeleryError) {
            lease = try await prepared(for: task)
        } catch {
            throw Failure(error: error)
        }
        do throws(AMQPError) {
            try await lease.session.channel.publish(task.message)
        } catch {
            let failure = Failure(
                error: task.complaint(error),
                endsChannel: error.code == .channelClosed && error.replyCode != nil
            )
            // A channel that has ended is replaced with its connection: nothing else is on it.
            if failure.endsChannel || failure.error.code == .connection { connection.invalidate(lease.epoch) }
            throw failure
        }
    }

    private func attemptAlone(_ task: ComposedTask) async throws(CeleryError) {
        try await solo.acquire()
        defer { solo.release() }
        let lease = try await prepared(for: task)
        do throws(AMQPError) {
            let channel = try await lease.session.connection.openChannel(confirms: true)
            do throws(AMQPError) {
                try await channel.publish(task.message)
            } catch {
                await channel.close()
                throw error
            }
            await channel.close()
        } catch {
            let failure = task.complaint(error)
            if failure.code == .connection { connection.invalidate(lease.epoch) }
            throw failure
        }
    }

    /// The connection, on which everything that the message needs has been declared.
    private func prepared(for task: ComposedTask) async throws(CeleryError) -> SharedConnection<Session>.Lease {
        let lease = try await connection.lease()
        do throws(CeleryError) {
            try await lease.session.topology.prepare(for: task)
        } catch {
            if error.code == .connection { connection.invalidate(lease.epoch) }
            throw error
        }
        return lease
    }
}

extension Publisher {
    private func checkSize(of task: ComposedTask) throws(CeleryError) {
        let size = task.message.body.count
        guard size > maxBodySize else { return }
        throw CeleryError(
            .messageTooLarge,
            "the message of task '\(task.task)' has \(size) bytes, more than the limit of \(maxBodySize)"
        )
    }

    private static func log(_ state: BlockedState, _ logger: Logger) {
        switch state {
        case .unblocked: logger.info("the broker takes publishes again")
        case .blocked(let reason):
            logger.warning("the broker takes no publishes for now", metadata: ["reason": "\(reason)"])
        }
    }
}

extension ComposedTask {
    fileprivate func complaint(_ error: AMQPError) -> CeleryError {
        let target =
            message.exchange.isEmpty
            ? "queue '\(message.routingKey)'" : "exchange '\(message.exchange)' with key '\(message.routingKey)'"
        return CeleryError(error, "task '\(task)' cannot be published to \(target)")
    }
}
