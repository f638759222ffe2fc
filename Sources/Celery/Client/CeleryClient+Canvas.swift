internal import OrderedCollections

extension CeleryClient {
    /// Sends a group: all of its tasks at once.
    ///
    /// - Parameters:
    ///   - group: the tasks.
    ///   - options: `taskID` is the group's id; everything else counts for each member.
    /// - Returns: the way to the results of all of them.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``, for any of the tasks; those before it may have
    ///   been sent then.
    public func send<Element>(
        _ group: Group<Element>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> GroupHandle<Element> {
        try await sendGroup(group.sentSignature, options: options, policy: group.failurePolicy)
    }

    /// Sends a group that is known as a signature only, or chunks.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(Group<Element>,_)``; `.invalidSignature` for what is no group.
    public func sendGroup(
        _ signature: Signature,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> GroupHandle<JSONValue> {
        try await sendGroup(signature, options: options, policy: signature.failurePolicy)
    }

    /// Sends chunks: the group of their parts.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(Group<Element>,_)``; `.invalidSignature` for a size below 1.
    public func send<Element>(
        _ chunks: Chunks<Element>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> GroupHandle<[Element]> {
        try await sendGroup(chunks.signature, options: options, policy: .fail)
    }

    /// Sends a chord.
    ///
    /// Its results are collected by a worker of this package; one has to run.
    ///
    /// - Parameters:
    ///   - chord: the header and the body.
    ///   - options: `taskID` names the body's last task; a delay, the queue and so on count for the header.
    /// - Returns: the handle of the body's last task; the first one's ``TaskHandle/parentGroup`` is the header.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    public func send<Output>(
        _ chord: Chord<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<Output> {
        try await send(chord.signature, options: options, returning: Output.self)
    }

    /// Sends a map: one task.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    public func send<Element>(
        _ map: Map<Element>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<[Element]> {
        try await send(map.signature, options: options, returning: [Element].self)
    }

    /// Sends a starmap: one task.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    public func send<Element>(
        _ starmap: Starmap<Element>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<[Element]> {
        try await send(starmap.signature, options: options, returning: [Element].self)
    }

    /// Sends any workflow whose result nobody wants.
    ///
    /// - Returns: the id of the last task; of a group the group's.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    @discardableResult
    public func enqueue(
        _ workflow: some Workflow,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        let signature = workflow.signature
        return try await enqueue(signature.chunksGroup() ?? signature, options: options)
    }

    private func sendGroup<Element>(
        _ signature: Signature,
        options: TaskOptions,
        policy: GroupFailurePolicy
    ) async throws(CeleryError) -> GroupHandle<Element> {
        let (composition, maker) = try compose(signature.chunksGroup() ?? signature, options: options, policy: policy)
        guard let handle: GroupHandle<Element> = maker.group(composition) else {
            throw CeleryError(.invalidSignature, "'\(signature.task)' is no group")
        }
        if !composition.tasks.isEmpty {
            try await publish(composition, receivesResult: maker.receivesResult(composition))
        }
        return handle
    }
}
