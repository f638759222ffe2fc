public import CeleryProtocol

/// Stands around the runs of all tasks: to trace them, to time them, to set up what they use, or to prevent them.
///
/// ```swift
/// struct Timing: TaskMiddleware {
///     func run(
///         _ context: TaskContext,
///         next: (TaskContext) async throws -> JSONValue
///     ) async throws -> JSONValue {
///         let start = ContinuousClock.now
///         defer { context.logger.info("took \(start.duration(to: .now))") }
///         return try await next(context)
///     }
/// }
/// ```
/// It runs where the body runs: in the worker's process, or in a child. What it throws counts as thrown by the task, before
/// the rules for automatic retries are applied. The first one that was registered stands outermost.
public protocol TaskMiddleware: Sendable {
    /// Runs a task by calling `next`.
    ///
    /// - Parameters:
    ///   - context: the task; its logger may be changed for what is inside.
    ///   - next: the further middlewares, and the task itself.
    /// - Returns: the task's result.
    /// - Throws: what the task throws.
    func run(
        _ context: TaskContext,
        next: (TaskContext) async throws -> JSONValue
    ) async throws -> JSONValue
}
