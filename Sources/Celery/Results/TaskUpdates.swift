/// The states that a task goes through, as they are reported: first the ones that came in before, last the final one.
///
/// Every loop over it is a reader of its own. Of the states that came in before it began, a reader gets the last
/// ``historySize``; one that lags more than ``bufferSize`` states behind misses the oldest. The final state is never missed.
public struct TaskUpdates: AsyncSequence, Sendable {
    /// An update.
    public typealias Element = TaskUpdate
    /// ``CeleryError`` where no further state will come; a ``TaskFailure`` is not thrown but is the final update.
    public typealias Failure = any Error

    /// States that are kept for who begins to read late.
    public static let historySize = 64
    /// States that are kept for a reader that lags.
    public static let bufferSize = 1_024

    let start: @Sendable () -> AsyncThrowingStream<TaskUpdate, any Error>

    /// Starts a reader.
    public func makeAsyncIterator() -> Iterator {
        Iterator(base: start().makeAsyncIterator())
    }

    /// A reader of states.
    public struct Iterator: AsyncIteratorProtocol {
        var base: AsyncThrowingStream<TaskUpdate, any Error>.Iterator

        /// The next state; nil after the final one, or when the Swift task is cancelled.
        public mutating func next() async throws -> TaskUpdate? {
            try await base.next(isolation: #isolation)
        }

        /// The next state; nil after the final one, or when the Swift task is cancelled.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws -> TaskUpdate? {
            try await base.next(isolation: actor)
        }
    }
}
