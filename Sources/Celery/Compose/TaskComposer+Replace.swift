internal import OrderedCollections

extension TaskComposer {
    /// Makes the message of what takes a running task's place, under the task's id (`celery.app.task.Task.replace`).
    ///
    /// The task's callbacks follow the replacement's last task, its errbacks belong to all of the replacement's tasks, and
    /// the rest of its chain follows. Group, chord and root are kept; the parent is the replaced task, which has the same id.
    ///
    /// - Parameters:
    ///   - message: the running task's message.
    ///   - signature: a task or a chain.
    ///   - replyTo: where the replacement's result goes; nil for nowhere. Celery sends it to the worker's own reply queue,
    ///     where nobody reads it.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    /// - Throws: ``CeleryError``: `.invalidSignature` for an empty chain and for a part of a chord, `.chordsUnsupported` for
    ///   a group, a chord, and a chain with one.
    package func replace(
        _ message: TaskMessage,
        with signature: Signature,
        replyTo: String?,
        context: SendContext
    ) throws(CeleryError) -> ComposedTask {
        var steps = try Self.replacement(signature)
        let nesting = JSONValue.int(message.headers.replacedTaskNesting + 1)
        for index in steps.indices {
            let isLast = index == steps.count - 1
            if isLast { Self.takePlace(of: message, &steps[index].wire, replyTo: replyTo, context: context) }
            steps[index].wire.options["replaced_task_nesting"] = nesting
            if steps.count > 1, let rootID = message.headers.rootID {
                steps[index].wire.options["root_id"] = .string(rootID)
            }
            if let errbacks = message.body.embed.errbacks, !errbacks.isEmpty {
                steps[index].wire.appendOption(.linkError, .array(errbacks))
            }
        }
        for step in (message.body.embed.chain ?? []).reversed() {
            var step = try Signature(decoding: step)
            step.wire.options["replaced_task_nesting"] = nesting
            steps.append(step)
        }
        let options = signature.subtaskType == "chain" ? try Self.chainOptions(signature) : TaskOptions()
        let context = context.within(message.headers)
        guard steps.count > 1 else {
            return try composeTask(steps[0], prepending: [], options: options, context: context)
        }
        let composition = try compose(chain: steps, options: options, context: context)
        guard let first = composition.tasks.first else { throw Self.emptyReplacement }
        return first
    }

    /// The tasks of a replacement, in the order of running.
    private static func replacement(_ signature: Signature) throws(CeleryError) -> [Signature] {
        if let error = signature.encodingError { throw error }
        if let chord = signature.options["chord"], !chord.isNull {
            throw CeleryError(.invalidSignature, "a signature that replaces a task must not be a part of a chord")
        }
        let steps = signature.subtaskType == "chain" ? try flattened([signature]) : [signature]
        if steps.isEmpty { throw emptyReplacement }
        guard steps.allSatisfy({ $0.subtaskType == nil }) else {
            throw CeleryError(
                .chordsUnsupported,
                "a group or a chord cannot replace a task: Celery makes a chord of it, which cannot be used with rpc:// results"
            )
        }
        return steps.map(\.embedded)
    }

    private static let emptyReplacement = CeleryError(.invalidSignature, "an empty chain cannot replace a task")

    /// Options of a whole chain: they count for its first task.
    private static func chainOptions(_ signature: Signature) throws(CeleryError) -> TaskOptions {
        var options = try TaskOptions(decoding: signature.options)
        options.taskID = nil
        options.link = []
        options.linkError = []
        return options
    }

    /// Gives a replacement's last task the place of the replaced one.
    private static func takePlace(
        of message: TaskMessage,
        _ wire: inout SignatureWire,
        replyTo: String?,
        context: SendContext
    ) {
        let headers = message.headers
        wire.options["task_id"] = .string(headers.id)
        if let replyTo = replyTo ?? context.replyTo { wire.options["reply_to"] = .string(replyTo) }
        if let chord = message.body.embed.chord { wire.options["chord"] = chord }
        if let group = headers.group { wire.options["group_id"] = .string(group) }
        if let index = headers.groupIndex { wire.options["group_index"] = .int(index) }
        if let callbacks = message.body.embed.callbacks, !callbacks.isEmpty {
            wire.appendOption(.link, .array(callbacks))
        }
    }
}
