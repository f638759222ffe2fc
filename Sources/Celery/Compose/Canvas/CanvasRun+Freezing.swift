internal import OrderedCollections

extension CanvasRun {
    /// What freezing gives a signature, beside an id.
    struct Place {
        /// Its id, if it has none.
        var id: String?
        var groupID: String?
        var groupIndex: Int?
        /// The body of the chord that it completes.
        var chord: CanvasOption?
        var rootID: String?
        var parentID: String?
    }

    /// Gives a signature its id and its place in a workflow (`Signature.freeze`); answers its result.
    func freeze(_ node: CanvasNode, _ place: Place) throws(CeleryError) -> Int {
        try countWork()
        let result =
            switch node.kind {
            case .task: freezeTask(node, place)
            case .chain: try freezeChain(node, place)
            case .group: try freezeGroup(node, place)
            case .chord: try freezeChord(node, place)
            }
        noteIgnored(node)
        return result
    }

    private func freezeTask(_ node: CanvasNode, _ place: Place) -> Int {
        let id = node.options.text("task_id") ?? place.id ?? context.makeID()
        node.options["task_id"] = .value(.string(id))
        if let rootID = place.rootID { node.options["root_id"] = .value(.string(rootID)) }
        if let parentID = place.parentID { node.options["parent_id"] = .value(.string(parentID)) }
        if node.options["reply_to"] == nil, let replyTo = context.replyTo {
            node.options["reply_to"] = .value(.string(replyTo))
        }
        if let groupID = place.groupID, node.options["group_id"] == nil {
            node.options["group_id"] = .value(.string(groupID))
        }
        if let chord = place.chord, !chord.isNull { node.options["chord"] = chord }
        if let index = place.groupIndex { node.options["group_index"] = .value(.int(index)) }
        return results.add(id)
    }

    private func freezeChain(_ node: CanvasNode, _ place: Place) throws(CeleryError) -> Int {
        let prepared = try prepareSteps(of: node, args: node.args, kwargs: [:], place, errbacks: [], cloning: false)
        guard let last = prepared.results.first else { throw Self.emptyChain }
        return last
    }

    /// Freezes a group and its members, with nested groups unrolled (`group._freeze_group_tasks`).
    func freezeGroup(_ node: CanvasNode, _ place: Place) throws(CeleryError) -> Int {
        let id = node.options.text("task_id") ?? context.makeID()
        node.options["task_id"] = .value(.string(id))
        if let groupID = place.groupID { node.options["group_id"] = .value(.string(groupID)) }
        if let chord = place.chord, !chord.isNull { node.options["chord"] = chord }
        if let index = place.groupIndex { node.options["group_index"] = .value(.int(index)) }
        setDefault("root_id", place.rootID, of: node)
        setDefault("parent_id", place.parentID, of: node)
        var own = Place(groupID: place.groupID, chord: place.chord)
        own.rootID = node.options.text("root_id")
        own.parentID = node.options.text("parent_id")
        var frozen: [CanvasNode] = []
        var members: [Int] = []
        var pending: [CanvasNode] = node.tasks.reversed()
        while let next = pending.popLast() {
            let member = try next.clone()
            // Celery turns the members of a nested group around here: its `deque.extendleft`.
            if member.kind == .group {
                pending.append(contentsOf: member.tasks)
            } else if member.kind != .chain || !member.tasks.isEmpty {
                own.groupIndex = frozen.count
                frozen.append(member)
                members.append(try freeze(member, own))
            }
        }
        node.tasks = frozen
        return results.add(id, members: members)
    }

    private func setDefault(_ key: String, _ text: String?, of node: CanvasNode) {
        guard node.options[key] == nil else { return }
        node.options[key] = .value(text.map { .string($0) } ?? .null)
    }

    /// Freezes a chord's header and then its body, whose result is the chord's (`_chord.freeze`).
    private func freezeChord(_ node: CanvasNode, _ place: Place) throws(CeleryError) -> Int {
        guard let body = node.body else { throw CeleryError(.invalidSignature, "a chord has no body") }
        let header: CanvasNode
        if let frozen = node.header { header = frozen } else { header = try .group(node.tasks) }
        node.header = header
        let group = try freezeGroup(
            header,
            Place(chord: .signature(body), rootID: place.rootID, parentID: place.parentID)
        )
        node.options["task_id"] = header.options["task_id"]
        var own = place
        own.parentID = nil
        let result = try freeze(body, own)
        results.setParent(group, of: results.first(result))
        return result
    }

    static let emptyChain = CeleryError(.invalidSignature, "a chain has no tasks")
}
