internal import AMQP
package import FoundationEssentials

/// Where the results of a chord's tasks come together: durable queues of one active consumer each.
///
/// The sender of a chord first publishes its ``ChordManifest`` to one of the queues and then sends the tasks with that queue
/// as their `reply_to`, so that any worker with `rpc://` results reports there, those of Python unchanged. Workers of this
/// package consume the queues; the broker gives each one to one of them at a time, and after that one's death everything in
/// it to the next.
package struct ChordCollector: Sendable {
    /// The message property `type` of a manifest; results have none.
    package static let manifestType = "swcelery.chord"

    /// What the queues' names begin with; a dot and a number follow.
    package let prefix: String
    private let shards: Int
    private let timeToLive: Duration?

    /// Reads the collector's settings.
    package init(_ configuration: CeleryConfiguration) {
        prefix = configuration.chordQueuePrefix
        shards = configuration.chordQueues
        let expires = configuration.resultChordExpires ?? configuration.resultExpires
        timeToLive = expires == .zero ? nil : expires
    }

    /// Whether a reply queue is a collector's, so that its results are a chord's.
    package func collects(_ replyTo: String?) -> Bool {
        guard let replyTo, replyTo.utf8.count > prefix.utf8.count, replyTo.hasPrefix(prefix) else { return false }
        return replyTo.utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: ".")
    }

    /// All queues of the collector.
    package var queues: [Queue] { (0..<shards).map { queue("\(prefix).\($0)") } }

    /// The queue of a chord; the same for every part of it.
    package func queue(forGroup id: String) -> Queue {
        let hash = id.utf8.reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
        return queue("\(prefix).\(Int(hash) % shards)")
    }

    /// When a chord that is sent now fails for missing results; nil for never.
    package func deadline(from now: Date) -> WireDate? {
        timeToLive.map { WireDate(now.addingTimeInterval($0.inSeconds)) }
    }

    /// The message that makes a chord known to its collector; published, with a confirm, before the chord's tasks.
    package func announcement(of manifest: ChordManifest) -> ComposedTask {
        let queue = queue(forGroup: manifest.groupID)
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.deliveryMode = 2
        properties.correlationID = manifest.groupID
        // Repeats of the publish have it in common; the same chord, sent again, gets another one.
        properties.messageID = TaskID.make()
        properties.type = Self.manifestType
        return ComposedTask(
            id: manifest.groupID,
            task: "celery.chord",
            message: OutgoingMessage(
                exchange: "",
                routingKey: queue.name,
                mandatory: true,
                properties: properties,
                body: manifest.json.serialized()
            ),
            queue: queue,
            ignoresResult: true,
            retryPolicy: RetryPolicy()
        )
    }

    private func queue(_ name: String) -> Queue {
        Queue(
            name,
            exchange: ExchangeDeclaration(name: ""),
            // Always classic: a quorum queue would count each hand-over to another worker as a failed delivery.
            arguments: ["x-queue-type": .string(QueueType.classic.rawValue), "x-single-active-consumer": true]
        )
    }
}
