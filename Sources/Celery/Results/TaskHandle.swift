/// A task that was sent, and the way to its result; Celery's `AsyncResult`.
///
/// A handle that nobody holds any more gives its result up.
public final class TaskHandle<Output: Codable & Sendable>: Sendable {
    /// Why no result will come, if none will.
    enum Source: Sendable {
        /// The result comes in for this task of a lineage.
        case backend(ResultInterest, index: Int)
        /// No result comes in here.
        case none(CeleryError)
    }

    /// The task's id.
    public let id: String
    private let source: Source

    init(id: String, source: Source) {
        self.id = id
        self.source = source
    }

    /// The last state that was reported; pending where nothing is known.
    public var state: TaskState {
        guard case .backend(let interest, _) = source else { return .pending }
        return interest.backend.latest(id)?.state ?? .pending
    }

    /// The handle of the task before this one in a chain; nil for the first one.
    public var parent: TaskHandle<JSONValue>? {
        guard case .backend(let interest, let index) = source, index > 0 else { return nil }
        return TaskHandle<JSONValue>(
            id: interest.lineage[index - 1],
            source: .backend(interest, index: index - 1)
        )
    }

    /// The states that the task goes through: first the ones that came in before, last the final one.
    public var states: TaskUpdates {
        switch source {
        case .backend(let interest, _):
            let id = id
            return TaskUpdates { interest.backend.updates(of: id, interest: interest) }
        case .none(let error):
            return TaskUpdates { AsyncThrowingStream { $0.finish(throwing: error) } }
        }
    }

    /// Waits for the result.
    ///
    /// May be called any number of times, from any task. When it throws for a time limit or a cancellation, the task
    /// itself is untouched, and so is a later call.
    ///
    /// - Parameter timeout: how long to wait; nil for ever.
    /// - Throws: ``TaskFailure`` where the task failed, was revoked or has expired (of a chain: any of its tasks).
    ///   ``CeleryError`` with the code `.timeout`; `.cancelled`; `.decoding` where the result is not of this type;
    ///   `.malformedResult`; `.closed`; and `.resultIgnored`, at once, where the send asked for no result (Celery's `get()`
    ///   returns `None` then, which a typed result cannot tell from a value).
    public func value(timeout: Duration? = nil) async throws -> Output {
        let interest: ResultInterest
        switch source {
        case .backend(let known, _): interest = known
        case .none(let error): throw error
        }
        let message = try await interest.backend.outcome(of: id, timeout: timeout)
        guard message.state == .success else { throw TaskFailure(message) }
        do {
            return try JSONValueDecoder().decode(Output.self, from: message.result)
        } catch {
            throw CeleryError(
                .decoding,
                "the result of task \(id) cannot be read as \(Output.self)",
                underlying: error
            )
        }
    }
}
