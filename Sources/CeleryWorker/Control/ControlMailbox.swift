import AMQP
import Celery
import CeleryProtocol
import Logging
import Synchronization

/// The mailbox of a worker for remote control: the queue `<node>.celery.pidbox`, whose commands it runs one after the other.
///
/// Celery: `celery.worker.pidbox.Pidbox` and `kombu.pidbox.Node`. On a thread of its own, so that neither a flood of commands
/// nor a large reply holds a task up. A lost connection ends nothing: the consumer comes back with the next one.
final class ControlMailbox: Sendable {
    /// What a mailbox works with.
    struct Environment: Sendable {
        let hostname: String
        let celery: CeleryConfiguration
        let panel: ControlPanel
        /// The worker's logical clock, which each message forwards.
        let clock: LogicalClock
        let consuming: ConsumerSupervisor
        let replies: SidePublisher
        let counters: WorkerCounters
        let logger: Logger
    }

    /// Largest reply: beyond it brokers end the channel.
    static let maxReplyBytes = 16 << 20

    private let environment: Environment
    private let consumer: DesiredConsumer
    private let replyExchange: String
    private let accept: AcceptedContent
    /// Celery's mailboxes have a clock that is not the worker's.
    private let clock = LogicalClock()
    private let inbox = ControlInbox()
    private let own: OwnCommands
    private let executor = ThreadExecutor(label: "swcelery.control", maxThreads: 1, usualThreads: 1)
    private let hasReportedDrops = Atomic(false)

    /// Makes a mailbox, which declares the exchange of replies on the publisher's channels.
    init(_ environment: Environment) {
        self.environment = environment
        let celery = environment.celery
        consumer = DesiredConsumer(
            Self.queue(of: environment.hostname, celery),
            role: .control,
            tagPrefix: "control",
            credit: 0,
            noAck: true
        )
        let replies = Self.replyExchange(celery)
        replyExchange = replies.name
        accept = AcceptedContent(celery.acceptContent)
        own = OwnCommands(logger: environment.logger)
        environment.replies.declare(replies)
    }

    /// The queue of a node's mailbox (`kombu.pidbox.Mailbox.get_queue`).
    static func queue(of hostname: String, _ celery: CeleryConfiguration) -> Queue {
        var arguments: FieldTable = [:]
        if let expires = celery.controlQueueExpires { arguments["x-expires"] = .integer(expires.wholeMilliseconds) }
        if let ttl = celery.controlQueueTTL { arguments["x-message-ttl"] = .integer(ttl.wholeMilliseconds) }
        return Queue(
            "\(hostname).\(celery.controlExchange).pidbox",
            exchange: ExchangeDeclaration(name: "\(celery.controlExchange).pidbox", type: "fanout", durable: false),
            routingKey: "",
            arguments: arguments,
            durable: celery.controlQueueDurable,
            exclusive: celery.controlQueueExclusive,
            autoDelete: !celery.controlQueueDurable
        )
    }

    /// The exchange of replies (`kombu.pidbox.Mailbox.reply_exchange`).
    static func replyExchange(_ celery: CeleryConfiguration) -> ExchangeDeclaration {
        ExchangeDeclaration(name: "reply.\(celery.controlExchange).pidbox", type: "direct", durable: false)
    }

    /// Wants the queue to be consumed, and runs the commands until `stop`.
    func start(for worker: Worker) {
        environment.consuming.addConsumer(consumer) { [self] event, _ in
            guard case .deliveries(let messages) = event else { return }
            noteDropped(inbox.put(messages))
        }
        Task(executorPreference: executor) {
            while let message = await self.inbox.next() { await self.handle(message, worker) }
        }
    }

    /// Takes no further command.
    func stop() {
        inbox.close()
        environment.consuming.removeConsumer(consumer.name)
    }

    private func noteDropped(_ count: Int) {
        guard count > 0 else { return }
        environment.counters.droppedCommands.add(count)
        guard !hasReportedDrops.exchange(true, ordering: .relaxed) else { return }
        environment.logger.warning("Too many commands of remote control at a time: some are dropped")
    }
}

// MARK: - Commands

extension ControlMailbox {
    private func handle(_ message: IncomingMessage, _ worker: Worker) async {
        environment.clock.forward()
        let request: ControlRequest
        do throws(ProtocolError) {
            request = try ControlRequest(decoding: message.properties, body: message.body, accept: accept)
            clock.adjust(request.clock)
            guard try request.isAddressed(to: environment.hostname) else { return }
        } catch {
            environment.logger.error("Control command error: \(error)")
            return
        }
        environment.counters.commands.add()
        environment.logger.debug("pidbox received method \(request.method.loggable)")
        let panel = environment.panel
        let answer: @Sendable () async -> ControlAnswer = {
            await panel.answer(request.method, request.arguments, on: worker)
        }
        guard panel[request.method]?.isOwn == true else { return reply(to: request, await answer()) }
        // An application's code may take its time, and its thread.
        let isRunning = own.run(request.method, answer) { [self] in
            reply(to: request, $0)
        }
        if !isRunning { reply(to: request, OwnCommands.tooMany) }
    }

    private func reply(to request: ControlRequest, _ answer: ControlAnswer) {
        guard case .reply(let value) = answer else { return }
        if let error = value["error"]?.stringValue {
            environment.logger.error("pidbox command error: \(request.method.loggable): \(error.loggable)")
        }
        guard let address = request.replyTo else { return }
        guard address.exchange == replyExchange else {
            environment.logger.warning("A reply to remote control is wanted elsewhere than at \(replyExchange)")
            return
        }
        var reply = ControlReply(
            node: environment.hostname,
            value: value,
            ticket: request.ticket,
            clock: clock.forward()
        )
        var body = reply.encodedBody()
        if body.count > Self.maxReplyBytes {
            reply.value = ["error": .string("the reply has \(body.count) bytes, \(Self.maxReplyBytes) are allowed")]
            body = reply.encodedBody()
        }
        environment.replies.post(
            OutgoingMessage(
                exchange: address.exchange,
                routingKey: address.routingKey,
                mandatory: false,
                properties: reply.properties(),
                body: body
            )
        )
    }
}

extension Duration {
    /// The whole milliseconds of the duration, within 32 bits.
    fileprivate var wholeMilliseconds: Int { Int(min(max(0, seconds * 1_000), Double(Int32.max))) }
}
