public import AMQPValues
public import Celery
public import CeleryProtocol
public import FoundationEssentials
public import Logging

/// What a running task knows of itself, and what it can do beside returning a value.
///
/// Celery: `Task.request`.
public struct TaskContext: Sendable {
    let invocation: Invocation
    let host: any TaskHost

    private var headers: TaskHeaders { invocation.envelope.headers }

    // MARK: Identity

    /// The task's id.
    public var id: String { headers.id }
    /// The task's name.
    public var name: String { headers.task }
    /// The first task of the workflow; the task itself if it has no parent.
    public var rootID: String { invocation.rootID }
    /// The task that sent this one.
    public var parentID: String? { headers.parentID }
    /// The group that the task belongs to.
    public var group: String? { headers.group }
    /// The task's position in its group.
    public var groupIndex: Int? { headers.groupIndex }
    /// How often the task was retried; 0 at the first run.
    public var retries: Int { headers.retries }
    /// Who sent the task first.
    public var origin: String? { headers.origin }
    /// The node name of this worker.
    public var hostname: String { host.hostname }

    // MARK: Message

    /// The positional arguments as they came.
    public var args: [JSONValue] { invocation.body.args }
    /// The keyword arguments as they came.
    public var kwargs: JSONObject { invocation.body.kwargs }
    /// Where results go; nil where nobody waits.
    public var replyTo: String? { invocation.replyTo }
    /// The correlation id of results.
    public var correlationID: String? { invocation.envelope.properties.correlationID }
    /// Time before which the task was not to start.
    public var eta: Date? { Self.date(headers.eta) }
    /// Time after which the task was not to start.
    public var expires: Date? { Self.date(headers.expires) }
    /// Headers of the message that are not Celery's own.
    public var customHeaders: FieldTable { headers.custom }
    /// The stamps of the task.
    public var stamps: FieldTable { headers.stamps }
    /// Where the message was delivered from.
    public var deliveryInfo: DeliveryInfo { invocation.info }

    /// A logger whose lines carry the task's id and name; `Logger.current` is the same one during the run.
    public var logger: Logger { host.logger(for: invocation.envelope) }

    private static func date(_ text: String?) -> Date? {
        text.flatMap { try? WireDate(parsing: $0).date }
    }
}

extension TaskContext {
    /// Tells the caller of a state of the application's own, such as `PROGRESS` with how far the task is.
    ///
    /// Returns when the message is on its way; states are not confirmed. Without a caller nothing is sent. Celery:
    /// `update_state(state=, meta=)`.
    ///
    /// - Parameters:
    ///   - state: the state's name; by Celery's custom in capital letters.
    ///   - meta: what the caller sees as the state's information.
    public func updateState(_ state: String, meta: JSONValue = .null) async throws {
        await host.updateState(.custom(state), meta: meta)
    }

    /// Tells the caller of a state of the application's own, with any encodable value as its information.
    ///
    /// - Throws: ``TaskError`` of the type `EncodeError` where the value cannot be written as JSON.
    public func updateState(_ state: String, encoding meta: some Encodable) async throws {
        try await updateState(state, meta: ResultEncoding.encode(meta))
    }

    /// A retry of this task, to be thrown: `throw context.retry(after: .seconds(5), cause: error)`.
    public func retry(after: Duration? = nil, cause: (any Error)? = nil, max: Int? = nil) -> Retry {
        Retry(after: after, cause: cause, max: max)
    }
}

extension TaskContext {
    /// Sends a task or a chain in the place of this one, under the same id: `throw try await context.replace(with: other)`.
    ///
    /// What was to follow this task follows the replacement: its callbacks, its errbacks and the rest of its chain. The
    /// replacement's result is this task's result, and goes to this task's caller (Python's worker sends it nowhere).
    /// Celery: `Task.replace`.
    ///
    /// - Returns: what to throw then: the run has no outcome of its own.
    /// - Throws: ``CeleryError``: `.invalidSignature` for an empty chain, `.chordsUnsupported` for a group or a chord, and
    ///   what a send throws.
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
