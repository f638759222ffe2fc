internal import AMQP

/// Celery's native delayed delivery: 28 queues whose messages expire after 1, 2, 4 … seconds, each followed by the next
/// shorter one, through which a message falls as the binary digits of its delay tell
/// (`kombu.transport.native_delayed_delivery`).
///
/// The key begins with the digits, the highest first. Where a level's digit is 1, its exchange leads to its queue, and from
/// there, a power of two seconds later, to the next level; where it is 0, to the next level at once.
package enum DelayLadder {
    /// The number of levels, which is that of the digits.
    package static let levels = 28
    /// The longest delay, in seconds: about eight and a half years.
    package static let longestDelay = 1 << levels - 1
    /// The exchange that delayed messages are published to.
    package static let entrance = name(ofLevel: levels - 1)
    /// The exchange that messages come out of.
    package static let exit = "celery_delayed_delivery"

    /// Characters of the digits, each with a point behind it.
    static let prefixLength = 2 * levels

    /// What the names of all its exchanges and queues begin with.
    package static let commonPrefix = "celery_delayed_"

    /// The name of a level's exchange and of its queue.
    static func name(ofLevel level: Int) -> String { "\(commonPrefix)\(level)" }

    /// The key of a message that is to be delayed; a delay that the key has already is replaced.
    ///
    /// - Parameters:
    ///   - seconds: the delay, from 1 to ``longestDelay``.
    ///   - key: the key that leads to the queue.
    /// - Throws: ``CeleryError/Code/invalidOption`` for any other delay, and for a key that becomes too long.
    package static func routingKey(seconds: Int, key: String) throws(CeleryError) -> String {
        guard (1...longestDelay).contains(seconds) else {
            throw CeleryError(
                .invalidOption,
                "the broker can delay a task for 1 to \(longestDelay) seconds, not for \(seconds)"
            )
        }
        var digits = ""
        for level in (0..<levels).reversed() { digits += seconds >> level & 1 == 1 ? "1." : "0." }
        let delayed = digits + withoutDelay(key)
        guard delayed.utf8.count <= longestKey else {
            throw CeleryError(
                .invalidOption,
                "the routing key '\(key)' is too long to be delayed: \(longestKey - prefixLength) bytes at most"
            )
        }
        return delayed
    }

    /// A key without its delay, where it has one.
    package static func withoutDelay(_ key: String) -> String {
        let bytes = key.utf8
        guard bytes.count >= prefixLength else { return key }
        let isDelayed = zip(0..., bytes.prefix(prefixLength)).allSatisfy { position, byte in
            position % 2 == 1 ? byte == UInt8(ascii: ".") : byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1")
        }
        return isDelayed ? String(decoding: bytes.dropFirst(prefixLength), as: UTF8.self) : key
    }

    /// The longest key of AMQP.
    private static let longestKey = 255
}

// MARK: - Topology

extension DelayLadder {
    /// A level's exchange.
    static func exchange(ofLevel level: Int) -> ExchangeDeclaration {
        ExchangeDeclaration(name: name(ofLevel: level), type: "topic")
    }

    /// The exchange that messages come out of.
    static var exitExchange: ExchangeDeclaration { ExchangeDeclaration(name: exit, type: "topic") }

    /// A level's queue, from which messages fall to the next level when they expire.
    static func queue(ofLevel level: Int, type: QueueType) -> QueueDeclaration {
        var arguments: FieldTable = [
            "x-queue-type": .string(type.rawValue),
            "x-overflow": "reject-publish",
            "x-message-ttl": .integer((1 << level) * 1000),
            "x-dead-letter-exchange": .string(level > 0 ? name(ofLevel: level - 1) : exit),
        ]
        if type == .quorum { arguments["x-dead-letter-strategy"] = "at-least-once" }
        return QueueDeclaration(name: name(ofLevel: level), arguments: arguments)
    }

    /// The binding from a level's exchange for messages with this digit: with 1 to its queue, with 0 to the next level.
    static func bindingKey(ofLevel level: Int, digit: Int) -> String {
        String(repeating: "*.", count: levels - 1 - level) + "\(digit).#"
    }

    /// The key with which a queue's exchange is bound to the exit, and the queue to its exchange.
    static func bindingKey(for key: String) -> String {
        key.hasPrefix("#") ? key : "#.\(key)"
    }

    /// Whether keys decide where exchanges of this type send messages to, in a way that a delay in front of them allows.
    ///
    /// Celery only leaves `direct` out. Others, such as `headers` and `x-consistent-hash`, would get bindings that mean
    /// something else there.
    static func delays(exchangeType type: String) -> Bool { type == "topic" || type == "fanout" }
}
