public import Celery
public import CeleryProtocol

extension TaskContext {
    /// Sends a signature in the place of this task, under the same id: `throw try await context.replace(with: other)`.
    ///
    /// What was to follow this task follows the replacement: its callbacks, its errbacks and the rest of its chain. The
    /// replacement's result is this task's result, and goes to this task's caller (Python's worker sends it nowhere).
    /// A group becomes a chord, whose result is the list of its results. Celery: `Task.replace`.
    ///
    /// - Returns: what to throw then: the run has no outcome of its own.
    /// - Throws: ``CeleryError``: `.invalidSignature` for an empty chain, and what a send throws.
    public func replace(with signature: Signature) async throws(CeleryError) -> Ignore {
        try await host.replace(with: signature)
        return Ignore()
    }

    /// Sends a task in the place of this one, under the same id; see ``replace(with:)-(Signature)``.
    public func replace<Output>(with call: TaskCall<Output>) async throws(CeleryError) -> Ignore {
        try await replace(with: call.signature)
    }

    /// Sends a chain in the place of this task, under the same id; see ``replace(with:)-(Signature)``.
    public func replace<Output>(with chain: Chain<Output>) async throws(CeleryError) -> Ignore {
        try await replace(with: chain.signature)
    }

    /// Sends any workflow in the place of this task, under the same id; see ``replace(with:)-(Signature)``.
    public func replace(with workflow: some Workflow) async throws(CeleryError) -> Ignore {
        try await replace(with: workflow.signature)
    }

    /// Sends the task of a `Codable` struct in the place of this one, under the same id; see ``replace(with:)-(Signature)``.
    public func replace(with arguments: some TaskArguments) async throws(CeleryError) -> Ignore {
        try await replace(with: arguments.call().signature)
    }
}

extension TaskContext {
    /// Sends a task as a child of this one, and waits for the broker's confirm.
    ///
    /// Nobody waits for its result.
    ///
    /// - Returns: the child's id.
    /// - Throws: ``CeleryError``.
    @discardableResult
    public func send<Output>(
        _ call: TaskCall<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await send(call.signature, options: options)
    }

    /// Sends the task of a `Codable` struct as a child of this one.
    ///
    /// Nobody waits for its result.
    ///
    /// - Returns: the child's id.
    /// - Throws: ``CeleryError``.
    @discardableResult
    public func send(
        _ arguments: some TaskArguments,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await send(arguments.call().signature, options: options)
    }

    /// Sends a chain as a child of this task.
    ///
    /// Nobody waits for its result.
    ///
    /// - Returns: the id of the chain's last task.
    /// - Throws: ``CeleryError``.
    @discardableResult
    public func send<Output>(
        _ chain: Chain<Output>,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await send(chain.signature, options: options)
    }

    /// Sends any workflow, such as a group or a chord, as a child of this task.
    ///
    /// Nobody waits for its results.
    ///
    /// - Returns: the id of the last task; of a group the group's.
    /// - Throws: ``CeleryError``.
    @discardableResult
    public func send(
        _ workflow: some Workflow,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await send(workflow.signature, options: options)
    }

    /// Sends a task known by name only as a child of this one.
    ///
    /// Nobody waits for its result.
    ///
    /// - Returns: the child's id; of a group the group's id.
    /// - Throws: ``CeleryError``.
    @discardableResult
    public func send(
        _ signature: Signature,
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await host.send(signature, options: options)
    }

    /// Sends a task known by name only as a child of this one.
    ///
    /// Nobody waits for its result.
    ///
    /// - Returns: the child's id.
    /// - Throws: ``CeleryError``.
    @discardableResult
    public func send(
        _ name: String,
        args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: TaskOptions = TaskOptions()
    ) async throws(CeleryError) -> String {
        try await send(Signature(name, args: args, kwargs: kwargs), options: options)
    }
}
