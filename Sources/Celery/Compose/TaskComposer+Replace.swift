internal import OrderedCollections

extension TaskComposer {
    /// Makes the messages of what takes a running task's place, under the task's id (`celery.app.task.Task.replace`).
    ///
    /// The task's callbacks follow the replacement's last task, its errbacks belong to all of the replacement's tasks, and
    /// the rest of its chain follows. Group, chord and root are kept; the parent is the replaced task, which has the same
    /// id. A group becomes a chord whose body hands the list of results on (`celery.accumulate`).
    ///
    /// - Parameters:
    ///   - message: the running task's message.
    ///   - signature: a task, a chain, a group or a chord.
    ///   - replyTo: where the replacement's result goes; nil for nowhere. Celery sends it to the worker's own reply queue,
    ///     where nobody reads it.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    /// - Throws: ``CeleryError``: `.invalidSignature` for an empty chain and for a part of a chord.
    package func replace(
        _ message: TaskMessage,
        with signature: Signature,
        replyTo: String?,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        if let chord = signature.options["chord"], !chord.isNull {
            throw CeleryError(.invalidSignature, "a signature that replaces a task must not be a part of a chord")
        }
        let context = context.within(message.headers)
        let run = CanvasRun(self, context: context, publishTimeout: nil)
        var node = try CanvasNode(signature)
        let last = node.kind == .chain ? node.tasks.last : node
        let isMember = replyTo.map { run.collector.collects($0) } ?? false
        if isMember || last == nil || last?.kind == .group { node = try Self.replacement(node) }
        try node.link(all: message.body.embed.callbacks ?? [])
        try node.linkError(all: message.body.embed.errbacks ?? [])
        Self.moveLinks(of: node)
        Self.clearID(of: node)
        _ = try run.freeze(node, CanvasRun.Place(id: message.headers.id))
        if let replyTo { Self.lead(node, to: replyTo, isCollected: run.collector.collects(replyTo)) }
        let chain = message.body.embed.chain ?? []
        Self.takePlace(of: message, node, isFollowed: !chain.isEmpty)
        var steps: [CanvasNode] = []
        steps.reserveCapacity(chain.count)
        for step in chain.reversed() {
            let step = try CanvasNode(Signature(decoding: step))
            step.options["replaced_task_nesting"] = .value(.int(message.headers.replacedTaskNesting &+ 1))
            steps.append(step)
        }
        node = try node.followed(byAll: steps)
        return run.composition(try run.apply(node, CanvasRun.Call()))
    }

    /// The replacement with a body behind a group that nothing follows in it, so that it has one result.
    ///
    /// Called for a chord's member, also where a chord has such a group as its body, unlike Celery: no task would have the
    /// member's id, and the member's chord would wait for it.
    private static func replacement(_ node: CanvasNode) throws(CeleryError) -> CanvasNode {
        switch node.kind {
        case .task: return node
        case .chord:
            let parts = ChordParts(of: node)
            if node.body == nil || parts.isFlat && parts.tasks.count == 1 { return node }
            return try node.followed(by: accumulate())
        case .group: return try .chord(of: node, body: accumulate())
        case .chain:
            guard let last = node.tasks.last else {
                throw CeleryError(.invalidSignature, "an empty chain cannot replace a task")
            }
            if last.kind == .chain, last.tasks.isEmpty { return node }
            let closed = try replacement(last)
            return closed === last ? node : try .chain(node.tasks.dropLast() + [closed], options: node.options)
        }
    }

    private static func accumulate() throws(CeleryError) -> CanvasNode {
        try CanvasNode(kind: .task, task: "celery.accumulate", kwargs: ["index": 0])
    }

    /// A chain's callbacks go to its last task, since further tasks may follow.
    private static func moveLinks(of node: CanvasNode) {
        guard node.kind == .chain, let link = node.options.removeValue(forKey: "link") else { return }
        guard let last = node.tasks.last else { return }
        let added = CanvasOptions(dictionaryLiteral: ("link", link)).list("link")
        last.options["link"] = .value(.array(last.options.list("link") + added))
    }

    /// The replacement's result is the replaced task's, whatever id the signature came with.
    private static func clearID(of node: CanvasNode) {
        let parts = ChordParts(of: node)
        if parts.isFlat, parts.tasks.count == 1 { parts.tasks[0].options["task_id"] = nil }
    }

    private static func lead(_ node: CanvasNode, to replyTo: String, isCollected: Bool) {
        for task in ChordParts(of: node).tasks {
            task.options["reply_to"] = .value(.string(replyTo))
            if isCollected { task.options["ignore_result"] = .value(false) }
        }
    }

    /// Gives the replacement the place of the replaced task.
    private static func takePlace(of message: TaskMessage, _ node: CanvasNode, isFollowed: Bool) {
        let headers = message.headers
        let nesting: CanvasOption = .value(.int(headers.replacedTaskNesting &+ 1))
        let place: CanvasOptions = [
            "chord": .value(message.body.embed.chord ?? .null),
            "group_id": .value(headers.group.map { .string($0) } ?? .null),
            "group_index": .value(headers.groupIndex.map { .int($0) } ?? .null),
        ]
        node.options.update(place)
        node.options["root_id"] = .value(headers.rootID.map { .string($0) } ?? .null)
        node.options["replaced_task_nesting"] = nesting
        guard node.kind == .chain else { return }
        // Celery loses the options of a chain that further steps are added to.
        if isFollowed { node.tasks.last?.options.update(place.filter { !$0.value.isNull }) }
        for task in node.tasks { task.options["replaced_task_nesting"] = nesting }
    }
}
