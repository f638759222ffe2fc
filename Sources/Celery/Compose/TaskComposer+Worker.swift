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
    /// Makes the messages of a finished task's next chain step (`celery.app.trace`); none where nothing follows.
    ///
    /// A group passes the remaining steps on to each of its members, a chord to its body.
    ///
    /// - Parameters:
    ///   - message: the finished task's message.
    ///   - result: what it returned, which becomes the step's first argument unless the step is immutable.
    ///   - context: who sends, and when; ``SendContext/within(_:)`` is applied here.
    package func composeChainStep(
        after message: TaskMessage,
        result: JSONValue,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        guard let next = message.body.embed.chain?.last else { return .none }
        var options: CanvasOptions = ["chain": .value(.array(message.body.embed.chain?.dropLast() ?? []))]
        options.update(Self.follower(of: message.headers, context: context))
        return try compose(
            CanvasNode(Signature(decoding: next)),
            CanvasRun.Call(args: [result], options: options),
            context: context.within(message.headers)
        )
    }

    /// Makes the messages of a successful task's callbacks (`celery.app.trace`): a single one as it is; of several, groups
    /// each on its own and the others as one new group.
    package func composeCallbacks(
        after message: TaskMessage,
        result: JSONValue,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        guard let callbacks = message.body.embed.callbacks, !callbacks.isEmpty else { return .none }
        var nodes: [CanvasNode] = []
        for callback in callbacks { nodes.append(try CanvasNode(Signature(decoding: callback))) }
        if nodes.count > 1 {
            let single = nodes.filter { $0.kind != .group }
            nodes.removeAll { $0.kind != .group }
            if !single.isEmpty { nodes.append(try .group(single)) }
        }
        var composition = Composition.none
        for node in nodes {
            let options = Self.follower(of: message.headers, context: context)
            let call = CanvasRun.Call(args: [result], options: options)
            composition.add(try compose(node, call, context: context.within(message.headers)))
        }
        return composition
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
    ) throws(CeleryError) -> Composition {
        if errbacks.isEmpty { return .none }
        var nodes: [CanvasNode] = []
        for errback in errbacks { nodes.append(try CanvasNode(Signature(decoding: errback))) }
        let options: CanvasOptions = [
            "parent_id": .value(.string(headers.id)), "root_id": .value(.string(headers.rootID ?? headers.id)),
        ]
        return try compose(
            .group(nodes),
            CanvasRun.Call(args: [.string(headers.id)], options: options),
            context: context.within(headers)
        )
    }

    /// Options of what a task hands its result to, in Celery's order.
    private static func follower(of headers: TaskHeaders, context: SendContext) -> CanvasOptions {
        [
            "parent_id": .value(.string(headers.id)),
            "root_id": .value(.string(headers.rootID ?? headers.id)),
            "priority": .value(context.inheritedPriority.map { .int(Int($0)) } ?? .null),
        ]
    }
}
