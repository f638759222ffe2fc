package import AMQP
package import CeleryProtocol

/// A message by which the owner of a collector queue tells all owners of it that a chord's deadline has passed.
///
/// It takes its place behind the results that came in time. An owner that comes after a crash sees both in the same order,
/// and so decides as the one before it, whatever its clock says.
package struct ChordMark: Sendable, Hashable {
    /// The message property `type` of a mark.
    package static let type = "swcelery.chord.deadline"

    /// The id of the chord's group.
    package var groupID: String
    /// The deadline that has passed; a chord with another one is not meant.
    package var deadline: WireDate

    package init(groupID: String, deadline: WireDate) {
        self.groupID = groupID
        self.deadline = deadline
    }

    /// Reads a mark.
    ///
    /// - Throws: ``ProtocolError``, of the JSON reader too.
    package init(decoding body: [UInt8]) throws(ProtocolError) {
        let json = try JSONValue(parsing: body)
        guard let groupID = json.objectValue?["group_id"]?.stringValue,
            let deadline = json.objectValue?["deadline"]?.stringValue
        else { throw ProtocolError(.unknownMessage, "the mark of a chord's deadline cannot be read") }
        self.init(groupID: groupID, deadline: try WireDate(parsing: deadline))
    }

    /// The message to a collector queue.
    package func message(to queue: String) -> OutgoingMessage {
        let json: JSONValue = ["group_id": .string(groupID), "deadline": .string(deadline.text)]
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.deliveryMode = 2
        properties.correlationID = groupID
        properties.type = Self.type
        return OutgoingMessage(routingKey: queue, properties: properties, body: json.serialized())
    }
}
