internal import OrderedCollections

extension SendContext {
    /// The surroundings of what a running task sends, or a worker on its behalf: its id becomes the parent's.
    package func within(_ headers: TaskHeaders) -> SendContext {
        var context = self
        context.parentID = headers.id
        context.rootID = headers.rootID ?? headers.id
        return context
    }
}

extension TaskComposer {
    /// Makes the messages of a finished task's next chain step (`celery.app.trace`); empty where nothing follows.
    ///
    /// A step that is a group passes the remaining steps on to each of its members.
    ///
    /// - Parameters:
    ///   - message: the finished task's message.
    ///   - result: what it returned, which becomes the step's first argument unless the step is immutable.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    /// - Throws: ``CeleryError``, with the code `.chordsUnsupported` where the step is a chord.
    package func composeChainStep(
        after message: TaskMessage,
        result: JSONValue,
        context: SendContext
    ) throws(CeleryError) -> [ComposedTask] {
        guard let next = message.body.embed.chain?.last else { return [] }
        var options = follower(of: message.headers, context: context)
        options.chain = message.body.embed.chain?.dropLast()
        let step = try Signature(decoding: next)
        return try compose(
            step,
            prepending: [result],
            options: options,
            context: context.within(message.headers)
        ).tasks
    }

    /// Makes the messages of a successful task's callbacks (`celery.app.trace`): a single one as it is; of several, groups
    /// each on its own and the others as one new group.
    package func composeCallbacks(
        after message: TaskMessage,
        result: JSONValue,
        context: SendContext
    ) throws(CeleryError) -> [ComposedTask] {
        guard let callbacks = message.body.embed.callbacks, !callbacks.isEmpty else { return [] }
        let options = follower(of: message.headers, context: context)
        let context = context.within(message.headers)
        var signatures: [Signature] = []
        for callback in callbacks { signatures.append(try Signature(decoding: callback)) }
        if signatures.count > 1 {
            let single = signatures.filter { $0.subtaskType != "group" }
            signatures.removeAll { $0.subtaskType != "group" }
            if !single.isEmpty { signatures.append(Self.group(of: single)) }
        }
        var tasks: [ComposedTask] = []
        for signature in signatures {
            tasks += try compose(signature, prepending: [result], options: options, context: context).tasks
        }
        return tasks
    }

    /// Makes the messages of a failed task's errbacks, each with the failed task's id as its argument, in one new group
    /// (`celery.backends.base.Backend._call_task_errbacks`).
    ///
    /// - Parameters:
    ///   - errbacks: the errbacks to send, usually all of the message's.
    ///   - headers: the failed task's headers.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    package func composeErrbacks(
        _ errbacks: [JSONValue],
        after headers: TaskHeaders,
        context: SendContext
    ) throws(CeleryError) -> [ComposedTask] {
        if errbacks.isEmpty { return [] }
        var signatures: [Signature] = []
        for errback in errbacks { signatures.append(try Signature(decoding: errback)) }
        var options = TaskOptions()
        options.parentID = headers.id
        options.rootID = headers.rootID ?? headers.id
        return try compose(
            Self.group(of: signatures),
            prepending: [.string(headers.id)],
            options: options,
            context: context.within(headers)
        ).tasks
    }

    /// Options of what a task hands its result to.
    private func follower(of headers: TaskHeaders, context: SendContext) -> TaskOptions {
        var options = TaskOptions()
        options.parentID = headers.id
        options.rootID = headers.rootID ?? headers.id
        options.priority = context.inheritedPriority
        return options
    }

    private static func group(of signatures: [Signature]) -> Signature {
        Signature(
            wire: SignatureWire(
                task: "celery.group",
                kwargs: ["tasks": .array(signatures.map(\.wire.json))],
                subtaskType: "group"
            )
        )
    }
}
