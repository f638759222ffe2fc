internal import OrderedCollections

extension CanvasNode {
    /// Reads a signature with all that it consists of (`celery.canvas.Signature.from_dict`).
    ///
    /// Chains and groups have no arguments of their own; a chord's header is a list, whatever it came as.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature``.
    convenience init(_ signature: Signature) throws(CeleryError) {
        try self.init(signature, depth: 0)
    }

    private convenience init(_ signature: Signature, depth: Int) throws(CeleryError) {
        if let error = signature.encodingError { throw error }
        guard depth <= Self.greatestDepth else { throw Self.tooDeep }
        let wire = signature.wire
        var options = CanvasOptions(wire.options)
        switch wire.subtaskType {
        case "chain":
            let tasks = try Self.members(wire.kwargs["tasks"], of: wire, depth: depth)
            try self.init(kind: .chain, task: wire.task, options: options, subtaskType: "chain", tasks: tasks)
        case "group":
            let tasks = try Self.members(wire.kwargs["tasks"], of: wire, depth: depth)
            let policy = try options.takePolicy()
            try self.init(
                kind: .group,
                task: wire.task,
                options: options,
                subtaskType: "group",
                tasks: tasks,
                policy: policy
            )
        case "chord":
            let policy = try options.takePolicy()
            try self.init(chord: signature, options: options, policy: policy, depth: depth)
        default:
            try self.init(
                kind: .task,
                task: wire.task,
                args: wire.args,
                kwargs: wire.kwargs,
                options: options,
                immutable: wire.immutable,
                extra: wire.extra,
                subtaskType: wire.subtaskType,
                declared: signature.declared
            )
        }
    }

    private convenience init(
        chord signature: Signature,
        options: CanvasOptions,
        policy: GroupFailurePolicy?,
        depth: Int
    ) throws(CeleryError) {
        let wire = signature.wire
        var kwargs = wire.kwargs
        let header = kwargs.removeValue(forKey: "header")
        guard let body = kwargs.removeValue(forKey: "body"), !body.isNull else {
            throw CeleryError(.invalidSignature, "a chord has no body")
        }
        var tasks: [CanvasNode]
        var inherited: GroupFailurePolicy?
        if case .object? = header, let header {
            let node = try CanvasNode(Signature(decoding: header), depth: depth + 1)
            tasks = node.kind == .group || node.kind == .chain ? node.tasks : [node]
            inherited = node.policy
        } else {
            tasks = try Self.members(header, of: wire, depth: depth)
        }
        try self.init(
            kind: .chord,
            task: wire.task,
            args: wire.args,
            kwargs: kwargs.isEmpty ? ["kwargs": [:]] : kwargs,
            options: options,
            immutable: wire.immutable,
            extra: wire.extra,
            subtaskType: "chord",
            tasks: tasks,
            body: try CanvasNode(Signature(decoding: body), depth: depth + 1),
            policy: policy ?? inherited
        )
    }

    private static func members(
        _ json: JSONValue?,
        of wire: SignatureWire,
        depth: Int
    ) throws(CeleryError) -> [CanvasNode] {
        guard let tasks = json?.arrayValue else {
            throw CeleryError(.invalidSignature, "a \(wire.subtaskType ?? "workflow") has no list of tasks")
        }
        var members: [CanvasNode] = []
        members.reserveCapacity(tasks.count)
        for task in tasks { members.append(try CanvasNode(Signature(decoding: task), depth: depth + 1)) }
        return members
    }
}
