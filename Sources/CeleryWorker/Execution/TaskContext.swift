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
    /// When the body was called.
    let start: ContinuousClock.Instant

    /// A logger whose lines carry the task's id and name; `Logger.current` is the same one during the run.
    public var logger: Logger

    /// Makes the context of a run that starts now.
    init(invocation: Invocation, host: any TaskHost) {
        self.invocation = invocation
        self.host = host
        logger = host.logger(for: invocation.envelope)
        start = .now
    }

    private var headers: TaskHeaders { invocation.envelope.headers }
    private var embed: Embed { invocation.body.embed }

    // MARK: Identity

    /// The task's id.
    public var id: String { headers.id }
    /// The task's name.
    public var name: String { headers.task }
    /// The name that logs and events show in place of the task's; nil where the sender gave none.
    public var shadow: String? { headers.shadow }
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
    /// How often the task has been replaced by another one on its way here.
    public var replacedTaskNesting: Int { headers.replacedTaskNesting }
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
    /// Whether no result is sent: as the sender said, else as the task's settings do.
    public var ignoreResult: Bool { headers.ignoreResult ?? invocation.task.ignoresResult }
    /// Time before which the task was not to start.
    public var eta: Date? { Self.date(headers.eta) }
    /// Time after which the task was not to start.
    public var expires: Date? { Self.date(headers.expires) }
    /// Whether times without an offset are in UTC; false only for messages of protocol 1 that say so.
    public var utc: Bool { invocation.envelope.utc }
    /// Headers of the message that are not Celery's own.
    public var customHeaders: FieldTable { headers.custom }
    /// The properties of the message, without its headers.
    public var properties: BasicProperties { invocation.envelope.properties }
    /// The stamps of the task.
    public var stamps: FieldTable { headers.stamps }
    /// The names of the stamps; empty for a task that was never stamped.
    public var stampedHeaders: [String] { headers.stampedHeaders ?? [] }
    /// Where the message was delivered from.
    public var deliveryInfo: DeliveryInfo { invocation.info }

    // MARK: What follows

    /// The tasks that get the result when this one succeeds (`link`).
    public var callbacks: [Signature] { Self.signatures(embed.callbacks) }
    /// The tasks that get this one's id when it fails (`link_error`).
    public var errbacks: [Signature] { Self.signatures(embed.errbacks) }
    /// The further steps of the chain, the next one first; Celery's request has them the other way round.
    public var chain: [Signature] { Self.signatures(embed.chain).reversed() }
    /// The body of the chord that the task is a part of.
    public var chord: Signature? { embed.chord.flatMap { try? Signature(decoding: $0) } }
    /// The tasks that this run has sent so far, in order; a group counts as one.
    public var children: [ResultTuple] { host.children }

    private static func date(_ text: String?) -> Date? {
        text.flatMap { try? WireDate(parsing: $0).date }
    }

    /// What cannot be read is left out: it fails when it is to be sent.
    private static func signatures(_ json: [JSONValue]?) -> [Signature] {
        json?.compactMap { try? Signature(decoding: $0) } ?? []
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
