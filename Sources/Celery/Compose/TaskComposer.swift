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

    /// Makes the messages of a signature: of a task one, of a chain its first one, of a group one per member.
    ///
    /// - Parameters:
    ///   - signature: what is sent.
    ///   - arguments: positional arguments that stand before the signature's own, unless it is immutable.
    ///   - options: how it is sent; they win over the options that the signature holds.
    ///   - context: who sends, and when.
    /// - Throws: ``CeleryError`` with the code `.encoding`, `.invalidSignature`, `.invalidOption`, `.queueNotFound` or
    ///   `.chordsUnsupported`.
    package func compose(
        _ signature: Signature,
        prepending arguments: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        context: SendContext
    ) throws(CeleryError) -> Composition {
        if let error = signature.encodingError { throw error }
        let signature = try signature.chunksGroup() ?? signature
        switch signature.subtaskType {
        case "chain":
            return try compose(
                chain: try Self.members(of: signature.wire),
                prepending: Self.arguments(arguments, before: signature.wire),
                options: options.merged(over: try TaskOptions(decoding: signature.options)),
                context: context
            )
        case "group":
            return try compose(group: signature.wire, prepending: arguments, options: options, context: context)
        case "chord":
            throw Self.chordsUnsupported
        default:
            let task = try composeTask(signature, prepending: arguments, options: options, context: context)
            return Composition(tasks: [task], lineage: [task.id])
        }
    }

    /// Why a chord, or a group that something follows, is not sent (`rpc.RPCBackend.ensure_chords_allowed`).
    static let chordsUnsupported = CeleryError(
        .chordsUnsupported,
        "chords, and groups that further tasks follow, cannot be used with rpc:// results"
    )

    /// The positional arguments of a signature with others in front of them.
    static func arguments(_ arguments: [JSONValue], before wire: SignatureWire) -> [JSONValue] {
        if arguments.isEmpty || wire.immutable { return wire.args }
        return wire.args.isEmpty ? arguments : arguments + wire.args
    }

    /// The signatures that a chain or a group consists of.
    static func members(of wire: SignatureWire) throws(CeleryError) -> [Signature] {
        guard let tasks = wire.kwargs["tasks"]?.arrayValue else {
            throw CeleryError(.invalidSignature, "a \(wire.subtaskType ?? "canvas") has no list of tasks")
        }
        var members: [Signature] = []
        members.reserveCapacity(tasks.count)
        for task in tasks { members.append(try Signature(decoding: task)) }
        return members
    }
}
