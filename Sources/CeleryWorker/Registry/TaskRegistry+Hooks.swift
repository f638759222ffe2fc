public import Celery

extension TaskRegistry {
    /// Adds a middleware around the runs of all tasks, inside of those that are there.
    public mutating func add(_ middleware: some TaskMiddleware) {
        middlewares.append(middleware)
    }

    /// Adds a middleware around everything that the worker publishes, inside of those that are there: what tasks send, their
    /// retries and replacements, callbacks, errbacks and the steps of chains.
    public mutating func add(publishing middleware: some PublishMiddleware) {
        publishMiddlewares.append(middleware)
    }

    /// Adds a handler of a signal, behind those that are there.
    ///
    /// - Parameters:
    ///   - signal: the event.
    ///   - handler: what is called; an error that it throws is logged.
    public mutating func on<Payload>(
        _ signal: Signal<Payload>,
        _ handler: @escaping @Sendable (Payload) throws -> Void
    ) {
        signals[keyPath: signal.handlers].add(handler)
    }
}
