import Celery
import CeleryProtocol

/// What another worker answers to `hello`: its clock and the ids that are revoked there.
///
/// What is not of its type counts as missing: a stranger must not keep a worker from starting.
struct MingleReply: Sendable, Hashable {
    /// Ids are short; longer ones are left out.
    private static let longestID = 255

    /// The other worker's name.
    let node: String
    /// Its logical clock; nil where it has told none.
    let clock: Int?
    /// The ids, oldest first.
    let revoked: [String]
    /// How many entries were no ids, or too many.
    let refused: Int

    /// Reads a reply; nil where the worker has nothing to tell, as to itself.
    ///
    /// - Parameters:
    ///   - reply: the reply.
    ///   - capacity: how many ids are taken at most, the youngest ones; 0 for all.
    init?(_ reply: ControlReply, capacity: Int) {
        guard case .object(let fields) = reply.value, fields["error"] == nil else { return nil }
        node = reply.node
        clock = fields["clock"]?.intValue
        let entries = fields["revoked"]?.arrayValue ?? []
        revoked = Self.ids(entries, capacity: capacity)
        refused = entries.count - revoked.count
    }

    /// The ids of a list, without what is none; the last ones where they are too many.
    static func ids(_ entries: [JSONValue], capacity: Int) -> [String] {
        let ids = entries.compactMap(\.stringValue).filter { !$0.isEmpty && $0.utf8.count <= longestID }
        return capacity > 0 ? ids.suffix(capacity) : ids
    }
}
