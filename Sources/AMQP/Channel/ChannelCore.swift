internal import DequeModule

/// The state of one channel on the connection's thread: the pure machines, and who waits for what they bring.
///
/// Not Sendable: it belongs to the connection's actor.
final class ChannelCore {
    /// Who waits for an answer.
    ///
    /// A consumer is put in place by the answer itself, before its first delivery.
    struct Waiter {
        var continuation: CheckedContinuation<ServerReply, any Error>
        var consumer: PendingConsumer?
    }

    /// A consumer that has been asked for.
    struct PendingConsumer {
        var noAck: Bool
        var onEvent: ConsumerEventHandler
    }

    /// A consumer, with the deliveries of the present turn.
    final class Subscription {
        let noAck: Bool
        let onEvent: ConsumerEventHandler
        var batch: [IncomingMessage] = []

        init(_ pending: PendingConsumer) {
            noAck = pending.noAck
            onEvent = pending.onEvent
        }
    }

    let id: ChannelID
    /// Fulfilled when the channel ends: nil where this side closed it.
    let ended: OneShot<AMQPError?>
    private let onReturn: ReturnHandler
    var replies = PendingReplies<Waiter>()
    var assembler: ContentAssembler
    var settlements = SettlementCoalescer()
    var confirms = PublisherConfirms<PublishOwner>()
    var confirmDeadline: ConfirmDeadline
    var isConfirming = false
    /// The broker asked to pause (`channel.flow`).
    var isPaused = false
    /// Publishes that wait until the connection is unblocked or the channel goes on.
    var deferred = Deque<PendingPublish>()
    /// Whether this side has asked to close.
    var isClosing = false
    private var subscriptions: [String: Subscription] = [:]
    /// Subscriptions with deliveries in this turn.
    private var filled: [Subscription] = []

    init(
        id: ChannelID,
        ended: OneShot<AMQPError?>,
        maximumBodySize: Int,
        confirmTimeout: Duration,
        onReturn: @escaping ReturnHandler
    ) {
        self.id = id
        confirmDeadline = ConfirmDeadline(limit: confirmTimeout)
        self.ended = ended
        self.onReturn = onReturn
        assembler = ContentAssembler(maximumBodySize: maximumBodySize)
    }

    // MARK: Answers

    /// Gives an answer to the request that it belongs to.
    func answer(_ reply: ServerReply) throws(AMQPError) {
        guard let waiter = replies.popFirst() else {
            throw AMQPError(.protocolViolation, "an answer without a request on channel \(id.number)")
        }
        if let consumer = waiter.consumer, case .consume(let tag) = reply {
            subscriptions[tag] = Subscription(consumer)
        }
        if case .cancel(let tag) = reply {
            flushBatches()
            subscriptions[tag] = nil
        }
        waiter.continuation.resume(returning: reply)
    }

    // MARK: Messages

    /// Takes a complete message.
    func complete(_ content: ContentAssembler.Content) throws(AMQPError) {
        switch content.kind {
        case .delivery(let source): deliver(content, source)
        case .get(let source):
            settlements.delivered(source.deliveryTag, noAck: false)
            guard content.isReadable else {
                replies.popFirst()?.continuation.resume(throwing: Self.unreadable)
                return
            }
            try answer(.get(IncomingMessage(content, source)))
        case .returned(let code, let text, let exchange, let routingKey):
            let source = ContentSource(
                consumerTag: nil,
                deliveryTag: 0,
                redelivered: false,
                exchange: exchange,
                routingKey: routingKey
            )
            returned(ReturnedMessage(replyCode: code, replyText: text, message: IncomingMessage(content, source)))
        }
    }

    private func returned(_ returned: ReturnedMessage) {
        let identity = PublisherConfirms<PublishOwner>.Identity(
            exchange: returned.message.exchange,
            routingKey: returned.message.routingKey,
            properties: returned.message.properties
        )
        if !confirms.returned(identity, code: returned.replyCode, text: returned.replyText) { onReturn(returned) }
    }

    private func deliver(_ content: ContentAssembler.Content, _ source: ContentSource) {
        let subscription = source.consumerTag.flatMap { subscriptions[$0] }
        settlements.delivered(source.deliveryTag, noAck: subscription?.noAck ?? false)
        guard let subscription else {
            // A delivery that was under way when its consumer was cancelled goes back to the queue.
            _ = settlements.settle(source.deliveryTag, .reject(requeue: true))
            return
        }
        guard content.isReadable else {
            // No consumer could do anything with it; the queue's dead-letter exchange gets it, if it has one.
            if !subscription.noAck { _ = settlements.settle(source.deliveryTag, .reject(requeue: false)) }
            return
        }
        if subscription.batch.isEmpty { filled.append(subscription) }
        subscription.batch.append(IncomingMessage(content, source))
    }

    private static var unreadable: AMQPError {
        AMQPError(.protocolViolation, "the message's headers are nested too deeply to be read")
    }

    /// Hands the turn's deliveries to their consumers.
    func flushBatches() {
        guard !filled.isEmpty else { return }
        for subscription in filled {
            let batch = subscription.batch
            subscription.batch = []
            subscription.onEvent(.deliveries(batch))
        }
        filled.removeAll(keepingCapacity: true)
    }

    /// The broker cancelled a consumer.
    func cancelled(_ consumerTag: String) {
        flushBatches()
        subscriptions.removeValue(forKey: consumerTag)?.onEvent(.cancelled)
    }

    // MARK: End

    /// Ends the channel: everybody who waits gets the error, or a general one where this side closed it.
    ///
    /// The publishes that were not written are the connection's to fail, as it counts them.
    func end(_ error: AMQPError?) {
        flushBatches()
        let failure = error ?? AMQPError(.channelClosed, "the channel has been closed")
        for waiter in replies.removeAll() { waiter.continuation.resume(throwing: failure) }
        for settled in confirms.failAll(failure) { settled.completion.complete(settled.result) }
        let consumers = subscriptions.values
        subscriptions = [:]
        for subscription in consumers { subscription.onEvent(.closed(error)) }
        ended.fulfil(error)
    }
}

extension IncomingMessage {
    fileprivate init(_ content: ContentAssembler.Content, _ source: ContentSource) {
        self.init(
            deliveryTag: source.deliveryTag,
            redelivered: source.redelivered,
            exchange: source.exchange,
            routingKey: source.routingKey,
            consumerTag: source.consumerTag,
            properties: content.properties,
            body: content.body
        )
    }
}
