internal import AMQP
internal import Celery
internal import DequeModule

extension BrokerState {
    mutating func consume(
        _ name: String,
        options: ConsumeOptions,
        on id: Int,
        onEvent: @escaping @Sendable (ConsumerEvent) -> Void
    ) throws(AMQPError) -> String {
        let queue = try queue(name, on: id)
        let tag = options.consumerTag.isEmpty ? "amq.ctag-\(nextID())" : options.consumerTag
        let channel = try channel(id)
        guard channel.consumers[tag] == nil else {
            throw failConnection(of: id, 530, "NOT_ALLOWED - attempt to reuse consumer tag '\(tag)'")
        }
        let isTaken = queue.consumers.contains { channels[$0.channel]?.consumers[$0.tag]?.isExclusive == true }
        guard !isTaken, !options.exclusive || queue.consumers.isEmpty else {
            throw fail(id, 403, "ACCESS_REFUSED - queue '\(name)' in exclusive use")
        }
        channels[id]?.consumers[tag] = MemoryChannelState.Consumer(
            queue: name,
            noAck: options.noAck,
            isExclusive: options.exclusive,
            prefetchCount: channel.prefetchCount,
            onEvent: onEvent
        )
        if losesNewConsumers { return tag }
        queues[name]?.add(MemoryQueue.ConsumerID(channel: id, tag: tag))
        dispatch(name)
        return tag
    }

    /// Forgets a queue's consumers; their channels stay as they are.
    mutating func loseConsumers(of name: String) {
        for consumer in queues[name]?.consumers ?? [] { _ = queues[name]?.remove(consumer) }
    }

    /// Ends the channels that consume from a queue.
    mutating func failConsumingChannels(of name: String, _ error: AMQPError) {
        for id in Set(queues[name]?.consumers.map(\.channel) ?? []) { closeChannel(id, error) }
    }

    mutating func cancel(_ tag: String, on id: Int) throws(AMQPError) {
        _ = try channel(id)
        guard let consumer = channels[id]?.consumers.removeValue(forKey: tag) else { return }
        leave(consumer.queue, MemoryQueue.ConsumerID(channel: id, tag: tag))
        // The next consumer of a queue that serves one at a time begins.
        dispatch(consumer.queue)
        // What the closure holds, which may be a connection, must not be freed under the lock.
        effects.append { withExtendedLifetime(consumer.onEvent) {} }
    }

    /// Takes a consumer off its queue, which goes with its last one if it is auto-delete.
    mutating func leave(_ name: String, _ consumer: MemoryQueue.ConsumerID) {
        if queues[name]?.remove(consumer) == true { removeQueue(name) }
    }

    mutating func get(_ name: String, noAck: Bool, on id: Int) throws(AMQPError) -> IncomingMessage? {
        _ = try queue(name, on: id)
        expireFirst(of: name)
        guard let message = queues[name]?.popFirst() else { return nil }
        return deliver(message, from: name, noAck: noAck, to: id, consumerTag: nil)
    }

    mutating func settle(_ tag: UInt64, _ settlement: Settlement, on id: Int) {
        guard !losesSettlements else { return }
        guard let unacked = channels[id]?.unacked.removeValue(forKey: tag) else {
            staleSettlements += 1
            return
        }
        release(unacked, on: id)
        if case .reject(let requeue) = settlement {
            requeue ? putBack(unacked) : deadLetter(unacked.message, from: unacked.queue, reason: "rejected")
        }
        dispatch(unacked.queue)
    }

    /// Gives credit back to the consumer and the place to the queue.
    private mutating func release(_ unacked: MemoryChannelState.Unacked, on id: Int) {
        queues[unacked.queue]?.unackedCount -= 1
        if let tag = unacked.consumerTag { channels[id]?.consumers[tag]?.unackedCount -= 1 }
    }

    /// Puts the delivery of a channel that has ended back in its place.
    mutating func requeue(_ unacked: MemoryChannelState.Unacked) {
        queues[unacked.queue]?.unackedCount -= 1
        putBack(unacked)
    }

    private mutating func putBack(_ unacked: MemoryChannelState.Unacked) {
        var message = unacked.message
        message.redelivered = true
        if let dropped = queues[unacked.queue]?.insert(message) {
            deadLetter(dropped, from: unacked.queue, reason: "maxlen")
        }
    }

    /// Delivers as long as there are messages, and consumers with credit, who take turns.
    mutating func dispatch(_ name: String) {
        var batches: [(consumer: MemoryQueue.ConsumerID, messages: [IncomingMessage])] = []
        while let consumer = nextConsumer(of: name) {
            guard let state = channels[consumer.channel]?.consumers[consumer.tag] else { break }
            guard let message = queues[name]?.popFirst() else { break }
            let delivery = deliver(
                message,
                from: name,
                noAck: state.noAck,
                to: consumer.channel,
                consumerTag: consumer.tag
            )
            queues[name]?.rotate(consumer)
            if let index = batches.firstIndex(where: { $0.consumer == consumer }) {
                batches[index].messages.append(delivery)
            } else {
                batches.append((consumer, [delivery]))
            }
        }
        for (consumer, messages) in batches {
            guard let onEvent = channels[consumer.channel]?.consumers[consumer.tag]?.onEvent else { continue }
            effects.append { onEvent(.deliveries(messages)) }
        }
    }

    private mutating func nextConsumer(of name: String) -> MemoryQueue.ConsumerID? {
        expireFirst(of: name)
        guard let queue = queues[name], !queue.messages.isEmpty else { return nil }
        return queue.candidates.first { channels[$0.channel]?.consumers[$0.tag]?.hasCredit == true }
    }

    private mutating func expireFirst(of name: String) {
        while let deadline = queues[name]?.messages.first?.deadline, deadline < .now {
            guard let expired = queues[name]?.popFirst() else { return }
            deadLetter(expired, from: name, reason: "expired")
        }
    }

    private mutating func deliver(
        _ message: MemoryMessage,
        from name: String,
        noAck: Bool,
        to id: Int,
        consumerTag: String?
    ) -> IncomingMessage {
        let tag = channels[id]?.nextDeliveryTag() ?? 0
        if !noAck {
            channels[id]?.unacked[tag] = MemoryChannelState.Unacked(
                queue: name,
                message: message,
                consumerTag: consumerTag
            )
            queues[name]?.unackedCount += 1
            if let consumerTag { channels[id]?.consumers[consumerTag]?.unackedCount += 1 }
        }
        return message.incoming(tag, consumerTag: consumerTag)
    }
}
