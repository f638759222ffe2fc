internal import AMQP

/// Stands around the publishing of task messages: to watch it, to time it, to add headers, or to prevent it.
///
/// ```swift
/// struct Tracing: PublishMiddleware {
///     func publish(
///         _ publication: TaskPublication,
///         next: (TaskPublication) async throws(CeleryError) -> Void
///     ) async throws(CeleryError) {
///         var publication = publication
///         publication.headers["traceparent"] = .string(currentTrace())
///         try await next(publication)
///     }
/// }
/// ```
/// A client calls the middlewares that it was made with for each message that it sends, of a group for each member; a worker
/// those of its registry, in its own process, for what its tasks send and for what follows them. The first one stands
/// outermost. Celery: the signals `before_task_publish` and `after_task_publish`.
public protocol PublishMiddleware: Sendable {
    /// Publishes a message by calling `next`, which returns when the broker has taken it.
    ///
    /// - Parameters:
    ///   - publication: the message.
    ///   - next: the further middlewares, and the publishing itself with all its tries.
    /// - Throws: ``CeleryError``; the send fails with it.
    func publish(
        _ publication: TaskPublication,
        next: (TaskPublication) async throws(CeleryError) -> Void
    ) async throws(CeleryError)
}

/// The middlewares around publishing, the outermost first.
package struct PublishMiddlewares: Sendable {
    private let all: [any PublishMiddleware]

    package init(_ all: [any PublishMiddleware] = []) {
        self.all = all
    }

    /// Passes a message through all of them to what publishes it.
    package func publish(
        _ task: ComposedTask,
        by send: (ComposedTask) async throws(CeleryError) -> Void
    ) async throws(CeleryError) {
        if all.isEmpty { return try await send(task) }
        try await pass(TaskPublication(task), through: all[...]) { (publication) async throws(CeleryError) in
            var task = task
            task.message.properties = publication.properties
            try await send(task)
        }
    }

    private func pass(
        _ publication: TaskPublication,
        through rest: ArraySlice<any PublishMiddleware>,
        to send: (TaskPublication) async throws(CeleryError) -> Void
    ) async throws(CeleryError) {
        guard let first = rest.first else { return try await send(publication) }
        try await first.publish(publication) { (publication) async throws(CeleryError) in
            try await pass(publication, through: rest.dropFirst(), to: send)
        }
    }
}
