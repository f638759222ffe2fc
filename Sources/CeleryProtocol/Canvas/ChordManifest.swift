internal import OrderedCollections

/// What the collector of a chord's results has to know: whose results to wait for, and what to do with them.
///
/// It is published to the chord's collector queue, and confirmed, before any of the chord's tasks is sent, by whoever sends
/// the chord: a Swift client or worker, or Python with the backend that comes with this package. Celery has nothing like it.
public struct ChordManifest: Sendable, Hashable {
    /// A task whose result counts.
    public struct Member: Sendable, Hashable {
        /// The task's id.
        public var id: String
        /// The sender's reply queue, to which the collector passes the result on; nil where nobody waits for it.
        public var replyTo: String?

        /// Makes a member.
        public init(id: String, replyTo: String? = nil) {
            self.id = id
            self.replyTo = replyTo
        }
    }

    /// The version of the form that this type reads and writes.
    public static let version = 1

    /// The id of the header's group, which names the chord.
    public var groupID: String
    /// The tasks whose results count, in the order in which the body gets the results.
    public var members: [Member]
    /// The frozen signature that gets the list of results: with its `task_id`, and with `reply_to` where somebody waits.
    public var body: JSONValue
    /// How the results are nested in the list that the body gets; nil for a plain list in the order of the members.
    ///
    /// A chain in the header that ends in a group has a list of results, as in Celery.
    public var shape: [Shape]?
    /// The first task of the workflow that the chord belongs to, where the sender knows it.
    public var rootID: String?
    /// What becomes of failures.
    public var policy: GroupFailurePolicy
    /// When a chord that still misses results fails; nil for never.
    public var deadline: WireDate?

    /// Makes a manifest.
    public init(
        groupID: String,
        members: [Member],
        body: JSONValue,
        shape: [Shape]? = nil,
        rootID: String? = nil,
        policy: GroupFailurePolicy = .fail,
        deadline: WireDate? = nil
    ) {
        self.groupID = groupID
        self.members = members
        self.body = body
        self.shape = shape
        self.rootID = rootID
        self.policy = policy
        self.deadline = deadline
    }
}

extension ChordManifest {
    /// Reads a manifest.
    ///
    /// - Throws: ``ProtocolError/Code/invalidSignature``, naming the key; also for a later version, for no member, and for
    ///   a member that occurs twice.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        guard case .object(let entries) = json else { throw Self.invalid("it has to be a map") }
        guard entries["version"]?.intValue == Self.version else { throw Self.invalid("its version is not known") }
        guard let groupID = entries["group_id"]?.stringValue else { throw Self.invalid("it has no group_id") }
        guard let body = entries["body"], case .object = body else { throw Self.invalid("it has no body") }
        let policy = try Self.policy(entries["policy"])
        let members = try Self.members(entries["members"])
        self.init(
            groupID: groupID,
            members: members,
            body: body,
            shape: try Self.shape(entries["shape"], members: members.count),
            rootID: entries["root_id"]?.stringValue,
            policy: policy,
            deadline: try Self.deadline(entries["deadline"])
        )
    }

    private static func members(_ json: JSONValue?) throws(ProtocolError) -> [Member] {
        guard case .array(let elements)? = json, !elements.isEmpty else { throw invalid("it has no members") }
        var members: [Member] = []
        members.reserveCapacity(elements.count)
        var ids = Set<String>(minimumCapacity: elements.count)
        for element in elements {
            guard case .array(let pair) = element, let id = pair.first?.stringValue, pair.count == 2 else {
                throw invalid("a member has to be a list of id and reply queue")
            }
            guard ids.insert(id).inserted else { throw invalid("a member occurs twice") }
            members.append(Member(id: id, replyTo: pair[1].stringValue))
        }
        return members
    }

    private static func policy(_ json: JSONValue?) throws(ProtocolError) -> GroupFailurePolicy {
        guard let json, !json.isNull else { return .fail }
        guard let policy = json.stringValue.flatMap(GroupFailurePolicy.init) else {
            throw invalid("its policy is not known")
        }
        return policy
    }

    private static func deadline(_ json: JSONValue?) throws(ProtocolError) -> WireDate? {
        guard let json, !json.isNull else { return nil }
        guard let date = json.stringValue.flatMap({ try? WireDate(parsing: $0) }) else {
            throw invalid("its deadline is no date")
        }
        return date
    }

    static func invalid(_ reason: String) -> ProtocolError {
        ProtocolError(.invalidSignature, "the manifest of a chord cannot be read: \(reason)")
    }

    /// The manifest as it travels.
    public var json: JSONValue {
        [
            "version": .int(Self.version),
            "group_id": .string(groupID),
            "members": .array(members.map { [.string($0.id), $0.replyTo.map(JSONValue.string) ?? .null] }),
            "body": body,
            "shape": shape.map { .array(Self.json($0)) } ?? .null,
            "root_id": rootID.map(JSONValue.string) ?? .null,
            "policy": .string(policy.rawValue),
            "deadline": deadline.map { .string($0.text) } ?? .null,
        ]
    }
}
