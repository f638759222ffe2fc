import CeleryProtocol

/// A chord whose collector has not let go of it.
struct PendingChord: Sendable {
    /// How far it is.
    enum Phase: Sendable, Hashable {
        /// Results are missing.
        case collecting
        /// What follows is being published.
        case ending
        /// What follows is published; results are still on their way to their callers.
        case ended
    }

    private(set) var manifest: ChordManifest
    /// When it became known to this owner, in seconds since 1970.
    let since: Double
    /// Deliveries of the manifest: one, or several where its sender had to repeat it.
    private(set) var manifestTags: [UInt64] = []
    /// The ids by which the sender's repeats can be told from another chord.
    private(set) var messageIDs: [String] = []
    /// Other messages that are kept for it: results and marks.
    var tags: [UInt64] = []
    /// The size of what is kept for it.
    var bytes = 0
    /// Results on their way to their callers.
    var unconfirmed = 0
    /// Whether a mark of its deadline is on its way.
    var isMarked = false
    var phase = Phase.collecting
    /// Whether the manifest is not to come again, but may go to a dead-letter exchange.
    var isRefused = false
    /// The members' final states, in their order.
    private(set) var states: [ChordPart.State?]
    /// How many members are missing.
    private(set) var missing: Int
    /// The member that came last.
    private(set) var lastID: String?

    init(_ manifest: ChordManifest, since: Double) {
        self.manifest = manifest
        self.since = since
        states = Array(repeating: nil, count: manifest.members.count)
        missing = manifest.members.count
    }

    /// The task that gets the results; two manifests with the same one are copies.
    var bodyID: String? { manifest.bodyID }

    /// Notes a delivery of the manifest.
    mutating func addManifest(_ tag: UInt64, messageID: String?) {
        manifestTags.append(tag)
        if let messageID, !messageIDs.contains(messageID) { messageIDs.append(messageID) }
    }

    /// Adds a member behind the others, and answers its position.
    mutating func add(_ member: ChordManifest.Member) -> Int {
        manifest.members.append(member)
        manifest.shape?.append(.task)
        states.append(nil)
        missing += 1
        return states.count - 1
    }

    /// Whether the member is missing.
    func misses(_ index: Int) -> Bool { states[index] == nil }

    /// Who waits for the members that are missing.
    var missingCallers: [(id: String, replyTo: String)] {
        guard missing > 0 else { return [] }
        return zip(manifest.members, states).compactMap { member, state in
            guard state == nil, let replyTo = member.replyTo else { return nil }
            return (member.id, replyTo)
        }
    }

    /// What becomes of a result.
    struct Taking {
        /// Whether it is kept until the chord ends.
        let isKept: Bool
        /// Where it goes on to.
        let replyTo: String?
    }

    /// Takes a member's final state; nil where it is known already.
    mutating func take(_ part: ChordPart, at index: Int) -> Taking? {
        guard misses(index) else { return nil }
        let replyTo = manifest.members[index].replyTo
        states[index] = part.state
        missing -= 1
        lastID = part.id
        guard phase == .collecting else { return Taking(isKept: false, replyTo: replyTo) }
        tags.append(part.tag)
        bytes += part.bytes
        if replyTo != nil { unconfirmed += 1 }
        return Taking(isKept: true, replyTo: replyTo)
    }

    /// Lets go of the results: they are on their way, or of no use any more.
    mutating func dropStates() {
        for index in states.indices where states[index] != nil { states[index] = .interim }
    }

    /// Whether an older delivery of the manifest is settled before the results: one of them came later than a result.
    var hasLateManifest: Bool {
        guard let last = manifestTags.max() else { return false }
        return tags.contains { $0 < last }
    }
}

extension ChordManifest {
    /// The id of the task that gets the results.
    var bodyID: String? { body.objectValue?["options"]?.objectValue?["task_id"]?.stringValue }
}
