import AMQP
import Celery
import CeleryProtocol

/// A message in a collector queue, read.
enum ChordMessage: Sendable {
    /// What may be read, and by whom.
    struct Rules: Sendable {
        /// Tells the collector's own queues from callers'.
        let collector: ChordCollector
        /// The largest manifest, in bytes.
        let maxBytes: Int
        let accept: AcceptedContent
    }

    /// A chord begins.
    case manifest(ChordManifest)
    /// A chord has further members.
    case addition(ChordAddition)
    /// A chord's deadline has passed.
    case mark(ChordMark)
    /// A result has come.
    case part(ChordPart)

    /// Reads a message by its property `type`; one without a type of ours is a result.
    ///
    /// - Throws: ``ProtocolError`` where it cannot be read.
    init(_ message: IncomingMessage, _ rules: Rules) throws(ProtocolError) {
        switch message.properties.type {
        case ChordCollector.manifestType?: self = .manifest(try Self.manifest(message, rules))
        case ChordAddition.type?:
            var addition = try ChordAddition(decoding: message.body)
            addition.members = addition.members.map { rules.withCaller($0) }
            self = .addition(addition)
        case ChordMark.type?: self = .mark(try ChordMark(decoding: message.body))
        default: self = .part(try ChordPart(message, accept: rules.accept))
        }
    }

    private static func manifest(_ message: IncomingMessage, _ rules: Rules) throws(ProtocolError) -> ChordManifest {
        guard message.body.count <= rules.maxBytes else {
            throw ProtocolError(
                .tooLarge,
                "the manifest of a chord has \(message.body.count) bytes, more than chord_max_bytes"
            )
        }
        var manifest = try ChordManifest(decoding: JSONValue(parsing: message.body))
        for index in manifest.members.indices { manifest.members[index] = rules.withCaller(manifest.members[index]) }
        return manifest
    }
}

extension ChordMessage.Rules {
    /// A member without a reply queue that is a collector's own.
    ///
    /// What is passed on to that would come in again, and be passed on again.
    fileprivate func withCaller(_ member: ChordManifest.Member) -> ChordManifest.Member {
        var member = member
        if collector.collects(member.replyTo) { member.replyTo = nil }
        return member
    }
}
