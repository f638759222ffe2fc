internal import OrderedCollections

extension TaskComposer {
    /// Makes the message of a chain: its first task, which carries the others with it (`celery.canvas._chain.run`).
    ///
    /// - Parameters:
    ///   - steps: the steps in the order of running; a group that another step follows becomes a chord with it.
    ///   - arguments: positional arguments that stand before the first step's own.
    ///   - options: `taskID`, the group and the chord belong to the last task, `link` too, `linkError` to all; everything
    ///     else to the first.
    ///   - context: who sends, and when.
    /// - Throws: ``CeleryError`` as ``compose(_:prepending:options:context:)``.
    package func compose(
        chain steps: [Signature],
        prepending arguments: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        context: SendContext
    ) throws(CeleryError) -> Composition {
        var nodes: [CanvasNode] = []
        nodes.reserveCapacity(steps.count)
        for step in steps { nodes.append(try CanvasNode(step)) }
        return try compose(.chain(nodes), prepending: arguments, options: options, context: context)
    }

    /// Makes the messages of a chain, a group or a chord.
    func compose(
        _ node: CanvasNode,
        prepending arguments: [JSONValue],
        options: TaskOptions,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        try Self.checkLinks(options)
        return try compose(
            node,
            CanvasRun.Call(args: arguments, options: CanvasOptions(options)),
            publishTimeout: options.publishTimeout,
            context: context
        )
    }

    /// Makes the messages of a signature that is applied with these arguments and options.
    func compose(
        _ node: CanvasNode,
        _ call: CanvasRun.Call,
        publishTimeout: Duration? = nil,
        context: SendContext
    ) throws(CeleryError) -> Composition {
        let run = CanvasRun(self, context: context, publishTimeout: publishTimeout)
        return run.composition(try run.apply(node, call))
    }

    private static func checkLinks(_ options: TaskOptions) throws(CeleryError) {
        if let error = options.link.lazy.compactMap(\.encodingError).first { throw error }
        if let error = options.linkError.lazy.compactMap(\.encodingError).first { throw error }
    }
}
