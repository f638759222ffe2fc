internal import AMQP

/// Makes messages of signatures, as `apply_async`, `send_task` and the canvas do.
///
/// Pure: the same input gives the same messages. Used by the client for what people send, and by the worker for what
/// tasks send on.
package struct TaskComposer: Sendable {
    /// The settings.
    package let configuration: CeleryConfiguration
    /// Where tasks go.
    package let router: Router

    /// Makes a composer.
    package init(configuration: CeleryConfiguration) {
        self.configuration = configuration
        router = Router(configuration: configuration)
    }

    /// Makes the messages of a signature: of a task one, of a chain its first one, of a group one per member, of a chord
    /// those of its header and its manifest.
    ///
    /// - Parameters:
    ///   - signature: what is sent.
    ///   - arguments: positional arguments that stand before the signature's own, unless it is immutable.
    ///   - options: how it is sent; they win over the options that the signature holds. Of a chord, `countdown` and `eta`
    ///     delay the header, `taskID`, `link` and `linkError` belong to the body, and everything else to both.
    ///   - context: who sends, and when.
    /// - Throws: ``CeleryError`` with the code `.encoding`, `.invalidSignature`, `.invalidOption` or `.queueNotFound`.
    package func compose(
        _ signature: Signature,
        prepending arguments: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        context: SendContext
    ) throws(CeleryError) -> Composition {
        if let error = signature.encodingError { throw error }
        switch signature.subtaskType {
        case "chain", "group", "chord":
            return try compose(CanvasNode(signature), prepending: arguments, options: options, context: context)
        default:
            let task = try composeTask(signature, prepending: arguments, options: options, context: context)
            var composition = Composition(tasks: [task], lineage: [task.id])
            composition.children = [ResultTuple(id: task.id)]
            if task.ignoresResult { composition.ignored = [task.id] }
            return composition
        }
    }

    /// The positional arguments of a signature with others in front of them.
    static func arguments(_ arguments: [JSONValue], before wire: SignatureWire) -> [JSONValue] {
        if arguments.isEmpty || wire.immutable { return wire.args }
        return wire.args.isEmpty ? arguments : arguments + wire.args
    }
}
