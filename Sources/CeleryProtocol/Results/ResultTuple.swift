/// The id of a task or group, with what came before it and with its members: how results point to other results.
///
/// A task is `[[id, parent], null]`, a group `[[id, parent], [member, …]]`; parents and members are tuples again.
/// Source: `celery.result.AsyncResult.as_tuple` and `result_from_tuple`.
public struct ResultTuple: Sendable, Hashable {
    /// Id of the task or the group.
    public var id: String
    /// The members of a group; nil for a task.
    public var members: [ResultTuple]?
    /// None or one: an array gives the recursive value its indirection.
    private var parents: [ResultTuple]

    /// Makes a tuple.
    public init(id: String, parent: ResultTuple? = nil, members: [ResultTuple]? = nil) {
        self.id = id
        self.members = members
        parents = parent.map { [$0] } ?? []
    }

    /// What came before, as the earlier step of a chain.
    public var parent: ResultTuple? {
        get { parents.first }
        set { parents = newValue.map { [$0] } ?? [] }
    }
}

extension ResultTuple {
    /// Reads a tuple.
    ///
    /// A bare id in place of `[id, parent]` is accepted, as Celery does.
    ///
    /// - Throws: ``ProtocolError/Code/invalidResult`` where the value has another shape, and
    ///   ``ProtocolError/Code/nestingTooDeep`` beyond the depth that JSON readers can be asked for.
    public init(decoding json: JSONValue) throws(ProtocolError) {
        try self.init(decoding: json, depth: 0)
    }

    private init(decoding json: JSONValue, depth: Int) throws(ProtocolError) {
        guard depth < JSONLimits.greatestDepth else {
            throw ProtocolError(.nestingTooDeep, "result tuples are nested too deep")
        }
        guard case .array(let pair) = json, pair.count == 2 else { throw Self.invalid }
        (id, parents) = try Self.identity(pair[0], depth: depth)
        members = try Self.members(pair[1], depth: depth)
    }

    private static func identity(_ json: JSONValue, depth: Int) throws(ProtocolError) -> (String, [ResultTuple]) {
        switch json {
        case .string(let id):
            return (id, [])
        case .array(let pair) where pair.count == 2:
            guard case .string(let id) = pair[0] else { throw invalid }
            if pair[1].isNull { return (id, []) }
            return (id, [try ResultTuple(decoding: pair[1], depth: depth + 1)])
        default:
            throw invalid
        }
    }

    private static func members(_ json: JSONValue, depth: Int) throws(ProtocolError) -> [ResultTuple]? {
        if json.isNull { return nil }
        guard case .array(let elements) = json else { throw invalid }
        var members: [ResultTuple] = []
        members.reserveCapacity(elements.count)
        for element in elements { members.append(try ResultTuple(decoding: element, depth: depth + 1)) }
        return members
    }

    private static var invalid: ProtocolError {
        ProtocolError(.invalidResult, "a result tuple has to be [[id, parent], members]")
    }

    /// The tuple as Celery writes it.
    public var json: JSONValue {
        [[.string(id), parent?.json ?? .null], members.map { .array($0.map(\.json)) } ?? .null]
    }
}
