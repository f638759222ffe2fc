internal import FoundationEssentials
internal import OrderedCollections

extension CanvasRun {
    /// Sends a chord: merges what the caller gives into body and header (`_chord.apply_async`).
    func applyChord(_ node: CanvasNode, _ call: Call) throws(CeleryError) -> Int {
        guard let ownBody = node.body else { throw CeleryError(.invalidSignature, "a chord has no body") }
        var options = call.options
        var delay: CanvasOptions = [:]
        for key in ["countdown", "eta"] where options.has(key) { delay[key] = options.removeValue(forKey: key) }
        var callbacks: CanvasOptions = [:]
        for key in ["link", "link_error"] { callbacks[key] = options.removeValue(forKey: key) }
        let givenPolicy = try options.takePolicy()
        let bodyID = options.take("task_id")
        let body = try ownBody.clone(options: Self.bodyOptions(options))
        let header: CanvasNode
        if let frozen = node.header {
            header = try frozen.clone()
        } else {
            let id = node.options.text("task_id") ?? context.makeID()
            header = try .group(node.tasks, options: ["task_id": .value(.string(id))])
        }
        var merged = node.options
        merged.update(options)
        merged.update(callbacks)
        merged["countdown"] = nil
        merged["eta"] = nil
        let ownID = merged.take("task_id")
        var kwargs = node.kwargs["kwargs"]?.objectValue ?? [:]
        kwargs.merge(call.kwargs) { _, new in new }
        // What `run` has parameters for does not come in as options there.
        for key in ["interval", "max_retries", "eager"] { merged[key] = nil }
        var sending = node.options
        sending.update(merged)
        for key in ["countdown", "eta"] {
            if delay[key] == nil, sending.has(key) { delay[key] = sending[key] }
            sending[key] = nil
        }
        return try run(
            ChordRun(
                header: header,
                body: body,
                bodyID: (bodyID ?? ownID)?.stringValue,
                policy: givenPolicy ?? node.policy ?? .fail,
                call: Call(
                    args: call.args.isEmpty || node.immutable ? node.args : call.args + node.args,
                    kwargs: kwargs,
                    options: sending
                ),
                delay: delay
            )
        )
    }

    /// Options that go on to the body: the header's last task is its parent.
    private static func bodyOptions(_ options: CanvasOptions) -> CanvasOptions {
        var own = options
        own["parent_id"] = nil
        return own
    }

    /// A chord whose parts are put together.
    private struct ChordRun {
        var header: CanvasNode
        var body: CanvasNode
        var bodyID: String?
        var policy: GroupFailurePolicy
        var call: Call
        var delay: CanvasOptions
    }

    /// Freezes body and header, makes the chord known, and sends the header (`_chord.run`).
    private func run(_ chord: ChordRun) throws(CeleryError) -> Int {
        let header = chord.header
        var body = chord.body
        var options = chord.call.options
        let groupID = header.options.text("task_id") ?? context.makeID()
        let rootID = body.options.text("root_id")
        if !options.isEmpty {
            options["task_id"] = nil
            body = try body.addingCallbacks(from: &options)
            body.options.update(Self.bodyOptions(options))
        }
        if body.kind == .chain { try body.unrollChords() }
        let bodyID = chord.bodyID ?? context.makeID()
        let result = try freeze(body, Place(id: bodyID, groupID: groupID, rootID: rootID))
        body.stripHeaderLinks()
        for key in ["chain", "chord", "task_id"] { options[key] = nil }
        header.options["task_id"] = .value(.string(groupID))
        let group = try freezeGroup(header, Place(groupID: groupID, chord: .signature(body), rootID: rootID))
        guard let manifest = try collect(header, into: groupID, chord, body: body, &options) else {
            _ = try apply(body, Call(args: [.array(ChordParts(header).shaped([]))]))
            results.setParent(group, of: result)
            return result
        }
        try announce(manifest)
        options.update(chord.delay)
        options["task_id"] = .value(.string(groupID))
        let sent = try apply(
            header,
            Call(args: chord.call.args, kwargs: chord.call.kwargs, options: options)
        )
        results.setParent(sent, of: result)
        return result
    }

    /// Leads the results of the tasks that complete the header to the collector; nil where there are none.
    ///
    /// Their own reply queues go into the manifest, from where the collector passes the results on.
    private func collect(
        _ header: CanvasNode,
        into groupID: String,
        _ chord: ChordRun,
        body: CanvasNode,
        _ options: inout CanvasOptions
    ) throws(CeleryError) -> ChordManifest? {
        let parts = ChordParts(header)
        if parts.tasks.isEmpty { return nil }
        // Given with the send, they would hide the collector's.
        let replyTo = options.take("reply_to")?.stringValue
        let ignored = options.take("ignore_result")?.plain?.boolValue ?? false
        let queue = collector.queue(forGroup: groupID).name
        var members: [ChordManifest.Member] = []
        members.reserveCapacity(parts.tasks.count)
        var ids = Set<String>(minimumCapacity: parts.tasks.count)
        for task in parts.tasks {
            guard let id = task.options.text("task_id"), ids.insert(id).inserted else {
                throw CeleryError(.invalidSignature, "two tasks of a chord's header have the same id")
            }
            let isIgnored = ignored || ignoresResult(task)
            self.ignored.collect(id, isIgnored: isIgnored)
            let caller = caller(replyTo ?? task.options.text("reply_to") ?? context.replyTo)
            members.append(ChordManifest.Member(id: id, replyTo: isIgnored ? nil : caller))
            task.options["reply_to"] = .value(.string(queue))
            task.options["ignore_result"] = .value(false)
        }
        var writer = writer
        return ChordManifest(
            groupID: groupID,
            members: members,
            body: try writer.json(body),
            shape: parts.shape,
            rootID: body.options.text("root_id") ?? context.rootID,
            policy: chord.policy,
            deadline: collector.deadline(from: try start(chord.delay))
        )
    }

    /// Where somebody waits: a collector would pass the result on to itself for ever.
    func caller(_ replyTo: String?) -> String? { collector.collects(replyTo) ? nil : replyTo }

    /// Whether nobody wants the result of a task, by its signature or by the task's own options.
    func ignoresResult(_ task: CanvasNode) -> Bool {
        if let ignored = task.options["ignore_result"]?.plain?.boolValue { return ignored }
        guard let own = task.declared?.options ?? context.registered(task.task) else { return false }
        return own.ignoreResult ?? composer.configuration.taskIgnoreResult
    }

    /// When the header's tasks start at the earliest.
    private func start(_ delay: CanvasOptions) throws(CeleryError) -> Date {
        let options = try delay.typed(writer)
        if let countdown = options.countdown, countdown != .zero {
            return context.now.addingTimeInterval(countdown.inSeconds)
        }
        return max(context.now, options.eta?.date ?? context.now)
    }
}
