internal import OrderedCollections

extension CeleryClient {
    /// Sends a task whose result nobody wants: without reply queue, and marked so that the worker sends none.
    ///
    /// - Returns: the task's id.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    @discardableResult
    public func enqueue<Output>(
        _ call: TaskCall<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await enqueue(call.signature, options: options)
    }

    /// Sends a task with keyword arguments whose result nobody wants.
    ///
    /// - Returns: the task's id.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    @discardableResult
    public func enqueue(
        _ arguments: some TaskArguments,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await enqueue(arguments.call(), options: options)
    }

    /// Sends a task that is known by name only and whose result nobody wants.
    ///
    /// - Returns: the task's id.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    @discardableResult
    public func enqueue(
        _ task: String,
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await enqueue(Signature(task, args: args, kwargs: kwargs), options: options)
    }

    /// Sends a signature whose result nobody wants: a task, a chain or a group.
    ///
    /// - Returns: the id of the task, of the chain's last task, or of the group.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    @discardableResult
    public func enqueue(
        _ signature: Signature,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        var options = options
        options.ignoreResult = true
        return try await enqueue(
            core.composer.compose(signature, options: options, context: core.context(scope, replyTo: nil))
        )
    }

    /// Sends a chain whose results nobody wants.
    ///
    /// - Returns: the last task's id.
    /// - Throws: ``CeleryError`` as ``send(_:options:)-(TaskCall<Output>,_)``.
    @discardableResult
    public func enqueue<Output>(
        _ chain: Chain<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        let silent = TaskOptions(ignoreResult: true)
        return try await enqueue(
            core.composer.compose(
                chain: CanvasFolding.fold(chain.steps.map { $0.with(silent) }),
                options: options.merged(over: chain.options),
                context: core.context(scope, replyTo: nil)
            )
        )
    }

    private func enqueue(_ composition: Composition) async throws(CeleryError) -> String {
        try await publish(composition, receivesResult: false)
        return composition.lineage.last ?? composition.groupID ?? ""
    }
}
