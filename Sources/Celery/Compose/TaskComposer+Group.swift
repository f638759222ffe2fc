internal import OrderedCollections

extension TaskComposer {
    /// Makes the messages of a group's members (`celery.canvas.group.apply_async`).
    func compose(
        group wire: SignatureWire,
        prepending arguments: [JSONValue],
        options: TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        var options = options
        options.fill(fromStored: try TaskOptions(decoding: wire.options))
        guard options.link.isEmpty, options.linkError.isEmpty else {
            throw CeleryError(.invalidOption, "links cannot be added to a group: do that on its tasks")
        }
        let groupID = options.taskID ?? context.makeID()
        options.taskID = nil
        options.groupID = groupID
        var composition = Composition(tasks: [], lineage: [], groupID: groupID)
        var results: [ResultTuple] = []
        for (member, index) in try Self.indexedMembers(of: wire) {
            var own = options
            own.groupIndex = index
            let part = try compose(
                member,
                prepending: arguments,
                options: own,
                context: context
            )
            composition.tasks += part.tasks
            results.append(part.resultTuple)
        }
        composition.result = ResultTuple(id: groupID, members: results)
        return composition
    }

    /// The members with nested groups unrolled.
    ///
    /// The positions of a nested group start again, as Celery's do when a group is sent (`group._prepared`).
    private static func indexedMembers(of wire: SignatureWire) throws(CeleryError) -> [(Signature, Int)] {
        var flat: [(Signature, Int)] = []
        var pending: [(Signature, Int)] = try members(of: wire).enumerated().map { ($1, $0) }.reversed()
        while let (member, index) = pending.popLast() {
            if member.subtaskType == "group" {
                pending.append(contentsOf: try members(of: member.wire).enumerated().map { ($1, $0) }.reversed())
            } else if try !isEmptyChain(member) {
                flat.append((member, index))
            }
        }
        return flat
    }

    private static func isEmptyChain(_ member: Signature) throws(CeleryError) -> Bool {
        if member.subtaskType != "chain" { return false }
        return try members(of: member.wire).isEmpty
    }

    /// The members with nested groups unrolled, for freezing: Celery then counts them through (`group._freeze_unroll`).
    static func flattenedMembers(of wire: SignatureWire) throws(CeleryError) -> [Signature] {
        try indexedMembers(of: wire).map(\.0)
    }
}
