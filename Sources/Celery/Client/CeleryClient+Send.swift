internal import OrderedCollections

extension CeleryClient {
    /// Sends a task; Celery's `apply_async`.
    ///
    /// Returns when the broker has taken the message. A connection error on the way is tried again as
    /// `task_publish_retry_policy` tells, with the same task id.
    ///
    /// - Parameters:
    ///   - call: the task with its arguments.
    ///   - options: how it is sent; they win over the call's own.
    /// - Returns: the way to the result.
    /// - Throws: ``CeleryError``: `.unroutable` where no queue takes the message, `.queueFull`, `.messageTooLarge`,
    ///   `.queueNotFound`, `.topology`, `.connection`, `.timeout`, `.encoding`, `.invalidOption`, `.cancelled`, `.closed`.
    public func send<Output>(
        _ call: TaskCall<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<Output> {
        try await send(call.signature, options: options, returning: Output.self)
    }

    /// Sends a task with keyword arguments.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    public func send<Arguments: TaskArguments>(
        _ arguments: Arguments,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<Arguments.Output> {
        try await send(arguments.call(), options: options)
    }

    /// Sends a task that is known by name only; Celery's `send_task`.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    public func send(
        _ task: String,
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<JSONValue> {
        try await send(Signature(task, args: args, kwargs: kwargs), options: options)
    }

    /// Sends a signature: a task, a chain, a group or a chord.
    ///
    /// The value of a group's handle is the list of the members' results; ``sendGroup(_:options:)`` tells more of them.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``; `.invalidSignature` for what cannot be read.
    public func send(
        _ signature: Signature,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<JSONValue> {
        try await send(signature, options: options, returning: JSONValue.self)
    }

    /// Sends a chain.
    ///
    /// The handle is the last task's; `parent` leads to the ones before it.
    ///
    /// - Parameters:
    ///   - chain: the tasks.
    ///   - options: `taskID` names the last task, `link` belongs to it, `linkError` to all; everything else counts for the
    ///     first task.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``, for any of the tasks that cannot be written.
    public func send<Output>(
        _ chain: Chain<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> TaskHandle<Output> {
        let options = options.merged(over: chain.options)
        let steps = chain.foldedSteps
        let composition = try core.composer.compose(
            chain: steps,
            options: options,
            context: core.context(scope, replyTo: core.backend.replyQueue)
        )
        try Self.checkResult(of: composition)
        let maker = handleMaker(
            composition,
            replyTo: options.replyTo,
            policy: steps.last?.failurePolicy ?? .fail
        )
        let handle: TaskHandle<Output> = maker.task(composition)
        try await publish(composition, receivesResult: maker.receivesResult(composition))
        return handle
    }

    /// The handle of a task that was sent before, by this client.
    ///
    /// A result comes in only where the task was sent with this client's reply queue; of any other task nothing is ever
    /// known, as with Python's `rpc://`.
    public func handle<Output>(for id: String, returning output: Output.Type = Output.self) -> TaskHandle<Output> {
        TaskHandle(
            id: id,
            source: .backend(ResultInterest(backend: core.backend, lineage: [id]), index: 0)
        )
    }

    func send<Output>(
        _ signature: Signature,
        options: TaskOptions,
        returning output: Output.Type
    ) async throws(CeleryError) -> TaskHandle<Output> {
        let (composition, maker) = try compose(signature, options: options)
        try Self.checkResult(of: composition)
        let handle: TaskHandle<Output> = maker.task(composition)
        try await publish(composition, receivesResult: maker.receivesResult(composition))
        return handle
    }

    /// What a signature becomes, and what makes its handles.
    func compose(
        _ signature: Signature,
        options: TaskOptions,
        policy: GroupFailurePolicy? = nil
    ) throws(CeleryError) -> (Composition, HandleMaker) {
        let composition = try core.composer.compose(
            signature,
            options: options,
            context: core.context(scope, replyTo: core.backend.replyQueue)
        )
        let replyTo = options.replyTo ?? signature.options["reply_to"]?.stringValue
        let last = signature.subtaskType == "chain" ? signature.memberSignatures.last : signature
        let maker = handleMaker(
            composition,
            replyTo: replyTo,
            policy: policy ?? last?.failurePolicy ?? .fail
        )
        return (composition, maker)
    }

    private func handleMaker(
        _ composition: Composition,
        replyTo: String?,
        policy: GroupFailurePolicy
    ) -> HandleMaker {
        let id = composition.lineage.last ?? composition.result?.id ?? ""
        var obstacle: CeleryError?
        if let replyTo, replyTo != core.backend.replyQueue {
            obstacle = CeleryError(.resultIgnored, "the result of task \(id) goes to another reply queue")
        }
        return HandleMaker(
            backend: core.backend,
            obstacle: obstacle,
            ignored: composition.ignored,
            policy: policy
        )
    }

    private static func checkResult(of composition: Composition) throws(CeleryError) {
        guard composition.result == nil, composition.lineage.isEmpty || composition.endsInGroup else { return }
        throw CeleryError(.invalidSignature, "the workflow has no result to wait for; enqueue it instead")
    }

    func publish(_ composition: Composition, receivesResult: Bool) async throws(CeleryError) {
        try await core.publish(composition, receivesResult: receivesResult)
        guard let report = scope?.onSent else { return }
        for child in composition.children { report(child) }
    }
}
