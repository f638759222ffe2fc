internal import OrderedCollections

extension CanvasRun {
    /// Sends a group's members (`group.apply_async`).
    func applyGroup(_ node: CanvasNode, _ call: Call) throws(CeleryError) -> Int {
        var extra = call.options
        let isChild = Self.takeIsChild(&extra)
        guard extra.take("link") == nil, extra.take("link_error") == nil else {
            throw CeleryError(.invalidOption, "links cannot be added to a group: do that on its tasks")
        }
        if node.tasks.isEmpty { return try freezeGroup(node, Place()) }
        // The policy is the caller's affair.
        _ = try extra.takePolicy()
        var options = node.merged(with: extra)
        let groupID = options.take("task_id")?.stringValue ?? context.makeID()
        options["group_id"] = .value(.string(groupID))
        let rootID = options.text("root_id")
        _ = Self.takeIsChild(&options)
        options["group_index"] = nil
        // Written once: it is the same for all members, and final now.
        var chord = options.take("chord")
        if let option = chord {
            var writer = writer
            chord = .value(try writer.json(option))
        }
        var members: [Int] = []
        for (member, index) in try Self.prepared(node) {
            members.append(try freeze(member, Place(groupID: groupID, groupIndex: index, rootID: rootID)))
            var own: CanvasOptions = ["add_to_parent": .value(false)]
            own["chord"] = chord ?? member.options["chord"] ?? .value(.null)
            own.update(options)
            _ = try apply(member, Call(args: call.args, kwargs: call.kwargs, options: own))
        }
        var result = results.add(groupID, members: members)
        // A group of one chain that ends in a group is that group.
        if members.count == 1, results.isGroup(members[0]) { result = members[0] }
        if isChild { addChild(result) }
        return result
    }

    /// Copies of the members with nested groups unrolled, whose positions start again (`group._prepared`).
    private static func prepared(_ node: CanvasNode) throws(CeleryError) -> [(CanvasNode, Int)] {
        var prepared: [(CanvasNode, Int)] = []
        prepared.reserveCapacity(node.tasks.count)
        var pending: [(CanvasNode, Int)] = node.tasks.enumerated().map { ($1, $0) }.reversed()
        while let (member, index) = pending.popLast() {
            if member.kind == .group {
                pending.append(contentsOf: member.tasks.enumerated().map { ($1, $0) }.reversed())
            } else if member.kind != .chain || !member.tasks.isEmpty {
                prepared.append((try member.clone(), index))
            }
        }
        return prepared
    }
}
