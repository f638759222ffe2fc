internal import AMQP
internal import OrderedCollections

extension TaskComposer {
    /// The option that tells a signature that is to join the chord of the task that sends it.
    package static let joinsChord = "swcelery_joins_chord"

    /// Makes the messages of a signature that joins the chord of a running member of it
    /// (`celery.app.task.Task.add_to_chord`).
    ///
    /// Its result stands behind those of the other members. Its id comes from the running task's, so that a member that
    /// runs twice adds the same.
    ///
    /// - Parameters:
    ///   - message: the running task's message.
    ///   - signature: what joins: a task, or a chain or a chord with one result.
    ///   - ordinal: how many signatures this run has added before.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    /// - Throws: ``CeleryError``: `.invalidOption` where the running task is no member of a chord that has a collector,
    ///   `.invalidSignature` for a group, and what a send throws.
    package func addToChord(
        of message: TaskMessage,
        _ signature: Signature,
        ordinal: Int,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        let headers = message.headers
        let context = context.within(headers)
        let run = CanvasRun(self, context: context, publishTimeout: nil)
        guard let chord = message.body.embed.chord, let groupID = headers.group, let queue = message.replyTo,
            run.collector.collects(queue)
        else { throw CeleryError(.invalidOption, "the current task is not a member of any chord with a collector") }
        let node = try CanvasNode(signature)
        node.options[Self.joinsChord] = nil
        node.options["group_id"] = .value(.string(groupID))
        node.options["group_index"] = headers.groupIndex.map { .value(.int($0)) }
        node.options["chord"] = .value(chord)
        node.options["root_id"] = .value(.string(headers.rootID ?? headers.id))
        let made = "\(headers.id):\(headers.retries):\(headers.replacedTaskNesting)"
        let place = CanvasRun.Place(id: TaskID.derived(from: made, number: ordinal))
        let result = try run.freeze(node, place)
        let parts = ChordParts(of: node)
        guard parts.isFlat, parts.tasks.count == 1, let task = parts.tasks.first else {
            throw CeleryError(.invalidSignature, "what joins a chord has to have one result: no group")
        }
        let caller = run.ignoresResult(task) ? nil : run.caller(task.options.text("reply_to"))
        task.options["reply_to"] = .value(.string(queue))
        task.options["ignore_result"] = .value(false)
        let member = ChordManifest.Member(id: run.results.id(result), replyTo: caller)
        let addition = ChordAddition(groupID: groupID, members: [member])
        var composition = run.composition(try run.apply(node, CanvasRun.Call()))
        let announcement = ComposedTask(
            id: groupID,
            task: "celery.chord",
            message: addition.message(to: queue),
            queue: nil,
            ignoresResult: true,
            retryPolicy: RetryPolicy()
        )
        composition.manifests.insert(announcement, at: 0)
        return composition
    }
}
