internal import AMQP
package import Logging
internal import Synchronization

/// Results over the broker itself, Celery's `rpc://`: one reply queue per client, read by one consumer, on which all
/// results come in and are matched to who waits for them.
///
/// The queue outlives a lost connection, so that results which come in meanwhile wait in it, unless it is auto-delete as
/// Celery's is. While somebody has a handle it is consumed again as soon as a broker can be reached. A graceful shutdown
/// deletes it, and one whose client is gone expires.
package final class RPCResultBackend: Sendable {
    /// Messages that could not be used.
    package struct Counters: Sendable, Equatable {
        /// Messages that are no results.
        package var malformed = 0
        /// Messages that came after a task's final one.
        package var late = 0
        /// Messages of unknown tasks that were dropped because there were too many.
        package var dropped = 0
        /// How often the reply queue was consumed again on a new connection.
        package var reconnects = 0
        /// How often it had vanished by then, with the results in it.
        package var vanished = 0
    }

    private struct State {
        var ledger = ResultLedger()
        var malformed = 0
        var reconnects = 0
        var vanished = 0
        var hasConsumed = false
        var isRecovering = false
        var isClosed = false
    }

    /// How long a shutdown waits for the reply queue's deletion.
    private static let deletionLimit = Duration.seconds(2)

    private let queue: ReplyQueue
    private let accept: AcceptedContent
    private let logger: Logger
    private let state = Mutex(State())
    private let connection: SharedConnection<ReplyQueue.Session>

    package init(
        broker: any Broker,
        configuration: CeleryConfiguration,
        replyQueue: String = TaskID.make(),
        logger: Logger
    ) {
        queue = ReplyQueue(replyQueue, configuration: configuration, logger: logger)
        self.logger = logger
        accept = AcceptedContent(configuration.resultAcceptContent ?? configuration.acceptContent)
        let relay = Relay()
        connection = SharedConnection(broker: broker, role: .client) { connection, epoch throws(AMQPError) in
            guard let backend = relay.backend else { throw AMQPError(.cancelled, "the client is gone") }
            return try await backend.open(connection, epoch)
        }
        relay.set(self)
    }

    /// Name of the reply queue.
    package var replyQueue: String { queue.name }

    /// Declares and consumes the reply queue, unless that is done: before the first task that a result is wanted of.
    package func prepare() async throws(CeleryError) {
        _ = try await connection.lease()
    }

    /// Stops consuming and deletes the reply queue; everybody who waits gets an error.
    package func close() async {
        let error = CeleryError(.closed, "the client has been shut down")
        perform(
            state.withLock { state in
                state.isClosed = true
                return state.ledger.close(error)
            }
        )
        if let session = connection.session {
            // The end of the connection is the end of a deletion that takes too long.
            let limit = Task { [connection] in
                if (try? await Task.sleep(for: Self.deletionLimit)) != nil { await connection.close() }
            }
            await queue.delete(on: session)
            limit.cancel()
        }
        await connection.close()
    }

    /// What could not be used so far.
    package var counters: Counters {
        state.withLock { state in
            Counters(
                malformed: state.malformed,
                late: state.ledger.lateCount,
                dropped: state.ledger.droppedCount,
                reconnects: state.reconnects,
                vanished: state.vanished
            )
        }
    }

    /// How many wait for a result.
    package var waiterCount: Int { state.withLock { $0.ledger.waiterCount } }
    /// How many read states.
    package var subscriberCount: Int { state.withLock { $0.ledger.subscriberCount } }
    /// How many tasks have a handle.
    package var interestCount: Int { state.withLock { $0.ledger.entryCount } }
    /// How many messages are kept of tasks without handle.
    package var unclaimedCount: Int { state.withLock { $0.ledger.unclaimedCount } }
}

// MARK: - Handles

extension RPCResultBackend {
    func register(_ lineage: [String]) {
        perform(state.withLock { $0.ledger.register(lineage) })
    }

    func unregister(_ lineage: [String]) {
        perform(state.withLock { $0.ledger.unregister(lineage) })
    }

    func latest(_ id: String) -> TaskUpdate? {
        state.withLock { $0.ledger.latest(id) }
    }

    /// Waits for a task's end.
    ///
    /// - Throws: ``CeleryError``: `.timeout`, `.cancelled`, `.malformedResult`, `.closed`.
    func outcome(of id: String, timeout: Duration?) async throws(CeleryError) -> ResultMessage {
        if !connection.isOpen { consumeWhileWanted() }
        let ticket = state.withLock { $0.ledger.makeTicket() }
        let timer = timeout.map { timeout in
            Task { [weak self] in
                guard (try? await Task.sleep(for: timeout)) != nil else { return }
                self?.withdraw(id, ticket, CeleryError(.timeout, "no result of task \(id) within \(timeout)"))
            }
        }
        defer { timer?.cancel() }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in wait(id, ticket, continuation, timeout) }
        } onCancel: {
            withdraw(id, ticket, .waitCancelled)
        }
        return try outcome.get()
    }

    func updates(of id: String, interest: ResultInterest) -> AsyncThrowingStream<TaskUpdate, any Error> {
        if !connection.isOpen { consumeWhileWanted() }
        let (stream, subscriber) = AsyncThrowingStream.makeStream(
            of: TaskUpdate.self,
            bufferingPolicy: .bufferingNewest(TaskUpdates.bufferSize)
        )
        let ticket = state.withLock { $0.ledger.makeTicket() }
        // The reader keeps the task known until it is done.
        subscriber.onTermination = { [weak self] _ in
            withExtendedLifetime(interest) { self?.unsubscribe(id, ticket) }
        }
        perform(state.withLock { $0.ledger.subscribe(id, ticket, subscriber) })
        return stream
    }

    private func wait(_ id: String, _ ticket: UInt64, _ waiter: ResultLedger.Waiter, _ timeout: Duration?) {
        if let outcome = state.withLock({ $0.ledger.wait(id, ticket, waiter) }) {
            waiter.resume(returning: outcome)
        } else if Task.isCancelled {
            // The cancellation handler may have run before the waiter was there to be found.
            withdraw(id, ticket, .waitCancelled)
        } else if let timeout, timeout <= .zero {
            withdraw(id, ticket, CeleryError(.timeout, "no result of task \(id) yet"))
        }
    }

    private func withdraw(_ id: String, _ ticket: UInt64, _ error: CeleryError) {
        state.withLock { $0.ledger.withdraw(id, ticket) }?.resume(returning: .failure(error))
    }

    private func unsubscribe(_ id: String, _ ticket: UInt64) {
        state.withLock { $0.ledger.unsubscribe(id, ticket) }
    }
}

// MARK: - Consuming

extension RPCResultBackend {
    private func open(
        _ connection: any BrokerConnection,
        _ epoch: Int
    ) async throws(AMQPError) -> ReplyQueue.Session {
        // Results are read off the connection's thread: large ones take their time.
        let (events, feed) = AsyncStream.makeStream(of: ConsumerEvent.self)
        let session = try await queue.open(on: connection, isKnown: state.withLock { $0.hasConsumed }) { event in
            feed.yield(event)
            if case .deliveries = event { return }
            feed.finish()
        }
        noteOpening(session)
        Task { [weak self] in
            for await event in events {
                guard case .deliveries(let messages) = event else { continue }
                self?.receive(messages)
                // Taken in first: what this process loses on its way stays with the broker.
                for message in messages { session.channel.settle(message.deliveryTag, .ack) }
            }
            // The channel lives as long as its consumer.
            withExtendedLifetime(session) { self?.lost(epoch) }
        }
        return session
    }

    private func noteOpening(_ session: ReplyQueue.Session) {
        let (isAgain, isWanted) = state.withLock { state in
            defer { state.hasConsumed = true }
            if state.hasConsumed { state.reconnects += 1 }
            if session.isNew { state.vanished += 1 }
            return (state.hasConsumed, state.ledger.entryCount > 0)
        }
        if session.isNew {
            logger.log(
                level: isWanted ? .warning : .debug,
                "reply queue had vanished and was declared anew; results that were sent meanwhile are lost",
                metadata: ["queue": "\(replyQueue)"]
            )
        } else if isAgain {
            logger.info("reply queue is consumed again", metadata: ["queue": "\(replyQueue)"])
        }
    }

    private func receive(_ messages: [IncomingMessage]) {
        for message in messages {
            do {
                let result = try ResultMessage.decode(
                    properties: message.properties,
                    body: message.body,
                    accept: accept
                )
                perform(state.withLock { $0.ledger.receive(result, bytes: message.body.count) })
            } catch {
                receiveMalformed(message, error)
            }
        }
    }

    private func receiveMalformed(_ message: IncomingMessage, _ error: ProtocolError) {
        let id = message.properties.correlationID
        let failure = CeleryError(.malformedResult, "a result message cannot be read", underlying: error)
        let (count, actions) = state.withLock { state in
            state.malformed += 1
            return (state.malformed, state.ledger.receiveMalformed(id, failure))
        }
        logger.error(
            "malformed result message",
            metadata: ["id": "\(id ?? "-")", "error": "\(error)", "count": "\(count)"]
        )
        perform(actions)
    }

    private func perform(_ actions: [ResultLedger.Action]) {
        for action in actions {
            switch action {
            case .resume(let waiter, let outcome): waiter.resume(returning: outcome)
            case .yield(let subscriber, let update): subscriber.yield(update)
            case .finish(let subscriber, let error): subscriber.finish(throwing: error)
            case .report(let report): log(report)
            }
        }
    }

    private func log(_ report: ResultLedger.Report) {
        switch report {
        case .dropped(let total):
            // One line per power of two: a client that never asks for its results would fill the log.
            guard total.nonzeroBitCount == 1 else { return }
            logger.warning(
                "results that nobody asked for were dropped, the oldest first",
                metadata: ["count": "\(total)"]
            )
        case .late(let id, let state):
            logger.debug("result after the final one ignored", metadata: ["id": "\(id)", "state": "\(state)"])
        }
    }
}

// MARK: - Recovery

extension RPCResultBackend {
    /// The consumer has ended.
    ///
    /// Whoever has a handle may wait already, so the queue is consumed anew at once.
    private func lost(_ epoch: Int) {
        connection.invalidate(epoch)
        consumeWhileWanted()
    }

    /// Consumes in the background, trying again for as long as somebody has a handle.
    private func consumeWhileWanted() {
        let begins = state.withLock { state in
            guard !state.isClosed, !state.isRecovering, state.ledger.entryCount > 0 else { return false }
            state.isRecovering = true
            return true
        }
        guard begins else { return }
        Task { [weak self] in
            var schedule = ReconnectSchedule()
            var step = schedule.lost(nil)
            while case .attempt(let delay, _) = step {
                try? await Task.sleep(for: delay)
                guard let self else { return }
                guard let error = await self.recover() else { return }
                step = schedule.failed(error)
                if case .attempt(_, let failed?) = step { self.note(failed, error) }
            }
        }
    }

    /// Tries once to consume again; answers why that failed, or nil where there is nothing more to be done.
    private func recover() async -> AMQPError? {
        let isWanted = state.withLock { state in
            if state.isClosed || state.ledger.entryCount == 0 { state.isRecovering = false }
            return state.isRecovering
        }
        guard isWanted else { return nil }
        do {
            try await prepare()
            state.withLock { $0.isRecovering = false }
            // Lost again before that: then nobody else has begun.
            if !connection.isOpen { consumeWhileWanted() }
            return nil
        } catch {
            return error.underlying as? AMQPError ?? AMQPError(.connectionFailed, error.message)
        }
    }

    private func note(_ failed: ReconnectSchedule.FailedTry, _ error: AMQPError) {
        logger.warning(
            "results cannot be consumed, trying again",
            metadata: ["try": "\(failed.number)", "error": "\(error)"]
        )
    }
}

/// Lets the connection's set-up find the backend, which is not there yet when the connection is made.
private final class Relay: Sendable {
    private struct Reference: Sendable {
        weak var backend: RPCResultBackend?
    }

    private let reference = Mutex(Reference())

    var backend: RPCResultBackend? { reference.withLock { $0.backend } }

    func set(_ backend: RPCResultBackend) {
        reference.withLock { $0.backend = backend }
    }
}
