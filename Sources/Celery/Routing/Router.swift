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
        /// The options with what the route adds.
        package var options: TaskOptions
        /// The queue that the task goes to.
        package var queue: Queue
        /// Whether the options are the sender's alone, because it named a queue and no route matched.
        ///
        /// Celery then passes on what the sender left open as null, so that a known task has no priority at all instead
        /// of 0.
        package var keepsNulls: Bool
    }

    /// Decides where a task goes.
    ///
    /// - Throws: ``CeleryError/Code/queueNotFound``.
    package func route(
        _ task: String,
        args: [JSONValue],
        kwargs: JSONObject,
        options: TaskOptions
    ) throws(CeleryError) -> Decision {
        if let route = routes.route(task, args, kwargs, options) {
            let merged = options.merged(over: route.options)
            return Decision(
                options: merged,
                queue: try queues.queue(named: merged.queue ?? defaultQueue),
                keepsNulls: false
            )
        }
        guard let name = options.queue, !name.isEmpty else {
            return Decision(options: options, queue: try queues.queue(named: defaultQueue), keepsNulls: false)
        }
        return Decision(options: options, queue: try queues.queue(named: name), keepsNulls: true)
    }
}
