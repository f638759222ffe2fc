package import AMQP

/// How a worker gives a message that is not due for long to the delay ladder, which brings it back to the same queue.
///
/// The message's own key is of no use for that: not for every type of exchange, and it may lead to several queues. So each
/// queue is bound to the ladder's exit with a key of swcelery's own, made of the queue's name.
package enum DelayHandover {
    /// The word in front of the queue's name.
    private static let mark = "swcelery."
    private static let longestName = 255 - DelayLadder.prefixLength - mark.utf8.count

    /// Whether messages of a queue can be handed over: its name fits into a key and means itself in a binding.
    package static func isPossible(for queue: String) -> Bool {
        guard !queue.isEmpty, queue.utf8.count <= longestName else { return false }
        return !queue.split(separator: ".", omittingEmptySubsequences: false).contains { $0 == "*" || $0 == "#" }
    }

    /// The message to publish instead of a received one; when it is confirmed, the received one can be acknowledged.
    ///
    /// Properties, headers and body stay, except what the broker itself has added, which would count as a cycle of
    /// dead-lettering, and `expiration`, which would end the message in the ladder: the worker that gets it reads `expires`.
    ///
    /// - Parameters:
    ///   - original: the message as it was delivered.
    ///   - queue: the queue that it came from and returns to.
    ///   - seconds: the delay; one that is too long for the ladder is cut, so that the message returns before it is due.
    /// - Throws: ``CeleryError/Code/invalidOption`` where the queue's messages cannot be handed over, or for less than a
    ///   second.
    package static func message(
        _ original: IncomingMessage,
        queue: String,
        seconds: Int
    ) throws(CeleryError) -> OutgoingMessage {
        guard isPossible(for: queue) else {
            throw CeleryError(.invalidOption, "messages of queue '\(queue)' cannot be delayed: its name fits no key")
        }
        let seconds = min(seconds, DelayLadder.longestDelay)
        var properties = original.properties
        properties.expiration = nil
        properties.headers = properties.headers?.withoutBrokerFields
        return OutgoingMessage(
            exchange: DelayLadder.entrance,
            routingKey: try DelayLadder.routingKey(seconds: seconds, key: mark + queue),
            mandatory: true,
            properties: properties,
            body: original.body
        )
    }

    /// The queue that a message was handed over for, where its key says so.
    package static func queue(ofKey key: String) -> String? {
        let rest = DelayLadder.withoutDelay(key)
        guard rest.count < key.count, rest.hasPrefix(mark) else { return nil }
        return String(rest.dropFirst(mark.count))
    }

    /// The key that binds a queue to the ladder's exit.
    ///
    /// The digits are counted, so that no queue gets the messages of one whose name ends with its own.
    static func bindingKey(for queue: String) -> String {
        String(repeating: "*.", count: DelayLadder.levels) + mark + queue
    }
}
