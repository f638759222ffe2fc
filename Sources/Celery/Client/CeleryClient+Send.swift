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

    /// Sends a signature: a task or a chain.
    ///
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``; `.invalidSignature` for a group, which has no
    ///   single result: ``enqueue(_:options:)-(Signature,_)`` sends it.
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
        let composition = try core.composer.compose(
            chain: chain.steps,
            options: options,
            context: core.context(scope, replyTo: core.backend.replyQueue)
        )
        let last = chain.steps.last?.embedded.options["ignore_result"]?.boolValue ?? false
        return try await send(composition, ignored: last, replyTo: options.replyTo)
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

    private func send<Output>(
        _ signature: Signature,
        options: TaskOptions,
        returning output: Output.Type
    ) async throws(CeleryError) -> TaskHandle<Output> {
        let composition = try core.composer.compose(
            signature,
            options: options,
            context: core.context(scope, replyTo: core.backend.replyQueue)
        )
        let stored = signature.options["reply_to"]?.stringValue
        return try await send(
            composition,
            ignored: composition.tasks.first?.ignoresResult ?? false,
            replyTo: options.replyTo ?? stored
        )
    }

    private func send<Output>(
        _ composition: Composition,
        ignored: Bool,
        replyTo: String?
    ) async throws(CeleryError) -> TaskHandle<Output> {
        guard let id = composition.lineage.last, !composition.endsInGroup else {
            throw CeleryError(.invalidSignature, "a group has no single result to wait for; enqueue it instead")
        }
        let source: TaskHandle<Output>.Source
        if ignored {
            source = .none(CeleryError(.resultIgnored, "task \(id) was sent with its result ignored"))
        } else if let replyTo, replyTo != core.backend.replyQueue {
            source = .none(CeleryError(.resultIgnored, "the result of task \(id) goes to another reply queue"))
        } else {
            // Known before it is sent: the result may be faster than the confirm.
            source = .backend(
                ResultInterest(backend: core.backend, lineage: composition.lineage),
                index: composition.lineage.count - 1
            )
        }
        let handle = TaskHandle<Output>(id: id, source: source)
        if case .backend = source {
            try await publish(composition, receivesResult: true)
        } else {
            try await publish(composition, receivesResult: false)
        }
        return handle
    }

    func publish(_ composition: Composition, receivesResult: Bool) async throws(CeleryError) {
        try await core.publish(composition, receivesResult: receivesResult)
        guard let report = scope?.onSent else { return }
        report(composition.resultTuple)
    }
}

extension Composition {
    /// The result as a running task lists it among its children.
    package var resultTuple: ResultTuple {
        if let groupID {
            return ResultTuple(id: groupID, members: tasks.map { ResultTuple(id: $0.id) })
        }
        var tuple: ResultTuple?
        for id in lineage { tuple = ResultTuple(id: id, parent: tuple) }
        return tuple ?? ResultTuple(id: "")
    }
}
