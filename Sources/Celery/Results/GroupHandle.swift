/// A group that was sent, and the way to its results; Celery's `GroupResult`.
///
/// A handle that nobody holds any more gives its results up.
public final class GroupHandle<Element: Codable & Sendable>: Sendable {
    /// The group's id.
    public let id: String
    /// The members in the order of the group: of a chain the last task, of a chord the body.
    public let members: [TaskHandle<Element>]
    /// What becomes of the results where some of the tasks have failed.
    public let failurePolicy: GroupFailurePolicy
    /// The task before the group, where it is the end of a chain.
    public let parent: TaskHandle<JSONValue>?

    init(
        id: String,
        members: [TaskHandle<Element>],
        failurePolicy: GroupFailurePolicy = .fail,
        parent: TaskHandle<JSONValue>? = nil
    ) {
        self.id = id
        self.members = members
        self.failurePolicy = failurePolicy
        self.parent = parent
    }

    /// The last known state of each member.
    public var states: [TaskState] { members.map { $0.state } }

    /// How many members have succeeded (Celery's `completed_count`).
    public var completedCount: Int { members.count { $0.state == .success } }

    /// Whether all members are over, successful or not.
    public var isReady: Bool { members.allSatisfy { $0.state.isReady } }

    /// Whether all members have succeeded.
    public var isSuccessful: Bool { members.allSatisfy { $0.state == .success } }

    /// Whether some member has failed or was revoked.
    public var hasFailed: Bool { members.contains { $0.state.isPropagated } }

    /// The state of the group as one result, by its policy.
    var state: TaskState {
        guard failurePolicy == .fail else { return isReady ? .success : .pending }
        return hasFailed ? .failure : isSuccessful ? .success : .pending
    }

    /// Waits for the results, in the order of the group.
    ///
    /// May be called any number of times, from any task. When it throws for a time limit or a cancellation, the tasks
    /// themselves are untouched, and so is a later call.
    ///
    /// - Parameter timeout: how long to wait for all of them; nil for ever.
    /// - Returns: one result for each member; under the policy `.ignore` none for those that have failed, under `.continue`
    ///   what null is read as.
    /// - Throws: ``TaskFailure`` of the first failed member in the order of the group, under the policy `.fail`.
    ///   ``CeleryError`` as ``TaskHandle/value(timeout:)``; `.decoding` also where under `.continue` the type has no null.
    public func values(timeout: Duration? = nil) async throws -> [Element] {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var values: [Element] = []
        values.reserveCapacity(members.count)
        for member in members {
            do {
                values.append(try await member.value(timeout: Self.rest(until: deadline)))
            } catch let failure as TaskFailure {
                switch failurePolicy {
                case .fail: throw failure
                case .ignore: break
                case .continue: values.append(try member.nullValue())
                }
            }
        }
        return values
    }

    /// Waits for the end of all members, and answers for each its result or its failure, whatever the policy.
    ///
    /// - Parameter timeout: how long to wait for all of them; nil for ever.
    /// - Throws: ``CeleryError`` as ``TaskHandle/value(timeout:)``.
    public func outcomes(timeout: Duration? = nil) async throws -> [Result<Element, TaskFailure>] {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var outcomes: [Result<Element, TaskFailure>] = []
        outcomes.reserveCapacity(members.count)
        for member in members {
            do {
                outcomes.append(.success(try await member.value(timeout: Self.rest(until: deadline))))
            } catch let failure as TaskFailure {
                outcomes.append(.failure(failure))
            }
        }
        return outcomes
    }

    /// What comes in of all members, each in its order; ends when all are over.
    public var updates: TaskUpdates {
        let members = members
        return TaskUpdates {
            let (stream, continuation) = AsyncThrowingStream.makeStream(
                of: TaskUpdate.self,
                bufferingPolicy: .bufferingNewest(max(TaskUpdates.bufferSize, members.count))
            )
            let reading = Task {
                do {
                    try await Self.read(members, into: continuation)
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in reading.cancel() }
            return stream
        }
    }

    private static func read(
        _ members: [TaskHandle<Element>],
        into continuation: AsyncThrowingStream<TaskUpdate, any Error>.Continuation
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for member in members {
                group.addTask { for try await update in member.states { continuation.yield(update) } }
            }
            try await group.waitForAll()
        }
    }

    /// What is left of the time; what has come in counts even when nothing is left.
    private static func rest(until deadline: ContinuousClock.Instant?) -> Duration? {
        deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
    }
}
