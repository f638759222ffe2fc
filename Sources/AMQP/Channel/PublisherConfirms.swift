internal import DequeModule

/// Numbers the publishes of a channel in confirm mode and matches the broker's acks, nacks and returns with them.
///
/// A pure state machine; `Completion` is whatever the owner wants back.
package struct PublisherConfirms<Completion> {
    /// What a returned message is recognised by: the broker does not tell its number.
    package struct Identity: Hashable, Sendable {
        var exchange: String
        var routingKey: String
        var correlationID: String?
        var messageID: String?

        package init(exchange: String, routingKey: String, properties: BasicProperties) {
            self.exchange = exchange
            self.routingKey = routingKey
            correlationID = properties.correlationID
            messageID = properties.messageID
        }
    }

    /// A publish whose fate is known.
    package struct Settled {
        package var completion: Completion
        package var result: Result<Void, AMQPError>
    }

    private struct Pending {
        var identity: Identity
        var returned: AMQPError?
        var settled = false
        var completion: Completion
    }

    private var pending = Deque<Pending>()
    /// Number of the first publish in `pending`; the broker counts from 1.
    private var firstTag: UInt64 = 1

    package init() {}

    /// How many publishes wait for their confirm.
    package var count: Int { pending.count }

    /// The numbers of the publishes from the first one that waits on.
    package var waiting: Range<UInt64> { firstTag..<firstTag + UInt64(pending.count) }

    /// Takes note of a publish, in the order of the wire.
    package mutating func published(_ identity: Identity, _ completion: Completion) {
        pending.append(Pending(identity: identity, completion: completion))
    }

    /// The broker gave a message back; the ack that follows then counts as a failure.
    ///
    /// - Returns: Whether it was one of the publishes that wait for their confirm.
    package mutating func returned(_ identity: Identity, code: Int, text: String) -> Bool {
        let index = pending.firstIndex { !$0.settled && $0.returned == nil && $0.identity == identity }
        guard let index else { return false }
        pending[index].returned = AMQPError(
            .unroutable,
            "no queue took the message for exchange '\(identity.exchange)', routing key '\(identity.routingKey)': \(text)",
            replyCode: code
        )
        return true
    }

    /// The broker confirmed or refused one publish, or all up to it.
    package mutating func confirmed(tag: UInt64, multiple: Bool, positive: Bool) -> [Settled] {
        guard tag >= firstTag || (multiple && tag == 0), let last = index(of: tag) else { return [] }
        var settled: [Settled] = []
        for index in (multiple ? 0 : last)...last where !pending[index].settled {
            pending[index].settled = true
            settled.append(settle(pending[index], positive: positive))
        }
        while pending.first?.settled == true {
            pending.removeFirst()
            firstTag += 1
        }
        return settled
    }

    /// Gives up on all publishes, as the channel has ended.
    package mutating func failAll(_ error: AMQPError) -> [Settled] {
        defer {
            firstTag += UInt64(pending.count)
            pending.removeAll()
        }
        return pending.filter { !$0.settled }.map { Settled(completion: $0.completion, result: .failure(error)) }
    }

    private func index(of tag: UInt64) -> Int? {
        guard !pending.isEmpty else { return nil }
        if tag == 0 { return pending.count - 1 }
        let offset = tag - firstTag
        return offset < UInt64(pending.count) ? Int(offset) : nil
    }

    private func settle(_ entry: Pending, positive: Bool) -> Settled {
        if let error = entry.returned { return Settled(completion: entry.completion, result: .failure(error)) }
        if positive { return Settled(completion: entry.completion, result: .success(())) }
        let error = AMQPError(.nacked, "the broker refused the message (basic.nack)")
        return Settled(completion: entry.completion, result: .failure(error))
    }
}
