/// A task that was sent, and the way to its result; Celery's `AsyncResult`.
///
/// A handle that nobody holds any more gives its result up.
public final class TaskHandle<Output: Codable & Sendable>: Sendable {
    /// Why no result will come, if none will.
    enum Source: Sendable {
        /// The result comes in for this task of a lineage.
        case backend(ResultInterest, index: Int)
        /// The result is the list of a group's results.
        case group(GroupHandle<JSONValue>)
        /// No result comes in here.
        case none(CeleryError)
    }

    /// The task's id.
    public let id: String
    private let source: Source
    /// The group before the first task of the lineage.
    private let before: GroupHandle<JSONValue>?

    init(id: String, source: Source, before: GroupHandle<JSONValue>? = nil) {
        self.id = id
        self.source = source
        self.before = before
    }

    /// The last state that was reported; pending where nothing is known.
    ///
    /// Of a group: failed as soon as one of its tasks is, successful when all are; under the policies `.ignore` and
    /// `.continue`, as its value, successful when all are over.
    public var state: TaskState {
        switch source {
        case .backend(let interest, _): interest.backend.latest(id)?.state ?? .pending
        case .group(let group): group.state
        case .none: .pending
        }
    }

    /// The handle of the task before this one in a chain; nil for the first one.
    public var parent: TaskHandle<JSONValue>? {
        switch source {
        case .backend(let interest, let index) where index > 0:
            let source = TaskHandle<JSONValue>.Source.backend(interest, index: index - 1)
            return TaskHandle<JSONValue>(id: interest.lineage[index - 1], source: source, before: before)
        case .group(let group): return group.parent
        case .backend, .none: return nil
        }
    }

    /// The group before this task, where the task is the first one of a chord's body: the chord's header.
    public var parentGroup: GroupHandle<JSONValue>? {
        guard case .backend(_, index: 0) = source else { return nil }
        return before
    }

    /// The group whose results the handle stands for, where a group was sent, or a chain that ends in one.
    public var group: GroupHandle<JSONValue>? {
        guard case .group(let group) = source else { return nil }
        return group
    }

    /// The states that the task goes through: first the ones that came in before, last the final one; of a group those of
    /// all its tasks.
    public var states: TaskUpdates {
        switch source {
        case .backend(let interest, _) where interest.ignored.contains(id):
            let error = CeleryError.ignored(id)
            return TaskUpdates { AsyncThrowingStream { $0.finish(throwing: error) } }
        case .backend(let interest, _):
            let id = id
            return TaskUpdates { interest.backend.updates(of: id, interest: interest) }
        case .group(let group):
            return group.updates
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
        let result: JSONValue
        switch source {
        case .backend(let interest, _):
            if interest.ignored.contains(id) { throw CeleryError.ignored(id) }
            let message = try await interest.backend.outcome(of: id, timeout: timeout)
            guard message.state == .success else { throw TaskFailure(message) }
            result = message.result
        case .group(let group): result = .array(try await group.values(timeout: timeout))
        case .none(let error): throw error
        }
        return try decode(result)
    }

    /// The value that stands for a failed task in a group that goes on.
    func nullValue() throws(CeleryError) -> Output { try decode(.null) }

    private func decode(_ result: JSONValue) throws(CeleryError) -> Output {
        do {
            return try JSONValueDecoder().decode(Output.self, from: result)
        } catch {
            throw CeleryError(
                .decoding,
                "the result of task \(id) cannot be read as \(Output.self)",
                underlying: error
            )
        }
    }
}
