package import AMQP
package import CeleryProtocol

/// A message by which a member of a chord tells its collector that the chord has further members
/// (`celery.app.task.Task.add_to_chord`).
///
/// The broker confirms it before the member's own result is published, so that it stands before that in the queue, and the
/// chord cannot be complete without the further members. What is added twice, because the member has run twice, counts once.
package struct ChordAddition: Sendable, Hashable {
    /// The message property `type` of an addition.
    package static let type = "swcelery.chord.add"

    /// The id of the chord's group.
    package var groupID: String
    /// The further members; their results stand behind all others.
    package var members: [ChordManifest.Member]

    package init(groupID: String, members: [ChordManifest.Member]) {
        self.groupID = groupID
        self.members = members
    }

    /// Reads an addition.
    ///
    /// - Throws: ``ProtocolError``, of the JSON reader too.
    package init(decoding body: [UInt8]) throws(ProtocolError) {
        let json = try JSONValue(parsing: body)
        guard let groupID = json.objectValue?["group_id"]?.stringValue,
            let pairs = json.objectValue?["adds"]?.arrayValue, !pairs.isEmpty
        else { throw Self.unreadable }
        var members: [ChordManifest.Member] = []
        for pair in pairs {
            guard let pair = pair.arrayValue, pair.count == 2, let id = pair[0].stringValue else {
                throw Self.unreadable
            }
            members.append(ChordManifest.Member(id: id, replyTo: pair[1].stringValue))
        }
        self.init(groupID: groupID, members: members)
    }

    private static let unreadable = ProtocolError(.unknownMessage, "an addition to a chord cannot be read")

    /// The message to the chord's collector queue.
    package func message(to queue: String) -> OutgoingMessage {
        let pairs = members.map { member -> JSONValue in
            [.string(member.id), member.replyTo.map(JSONValue.string) ?? .null]
        }
        let json: JSONValue = ["group_id": .string(groupID), "adds": .array(pairs)]
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.deliveryMode = 2
        properties.correlationID = groupID
        properties.type = Self.type
        return OutgoingMessage(routingKey: queue, mandatory: true, properties: properties, body: json.serialized())
    }
}
