/// Decides where a task goes: the send's options, then the routes, then the default queue (`celery.app.routes.Router`).
package struct Router: Sendable {
    /// The queues by name.
    package let queues: QueueTable
    private let routes: RouteTable
    private let defaultQueue: String

    package init(configuration: CeleryConfiguration) {
        queues = QueueTable(configuration: configuration)
        routes = RouteTable(configuration.taskRoutes)
        defaultQueue = configuration.taskDefaultQueue
    }

    /// What routing makes of a send.
    package struct Decision: Sendable {
        /// The queue that the task goes to.
        package var queue: Queue
        /// Whether the options are the sender's alone, because it named a queue and no route matched.
        ///
        /// Celery then passes on what the sender left open as null, so that a known task has no priority at all instead
        /// of 0.
        package var keepsNulls: Bool
    }

    /// Decides where a task goes, and fills in the options that a route adds.
    ///
    /// - Throws: ``CeleryError/Code/queueNotFound``.
    package func route(
        _ task: String,
        args: [JSONValue],
        kwargs: JSONObject,
        options: inout TaskOptions
    ) throws(CeleryError) -> Decision {
        if let route = routes.route(task, args, kwargs, options) {
            options.fill(from: route.options)
            return Decision(queue: try queues.queue(named: options.queue ?? defaultQueue), keepsNulls: false)
        }
        guard let name = options.queue, !name.isEmpty else {
            return Decision(queue: try queues.queue(named: defaultQueue), keepsNulls: false)
        }
        return Decision(queue: try queues.queue(named: name), keepsNulls: true)
    }
}
