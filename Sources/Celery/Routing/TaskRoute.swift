/// A rule that tells where tasks go which name no queue themselves; an entry of `task_routes`.
///
/// The entries between two functions count as one map of Celery's: exact names are looked up first, then the patterns
/// in their order. The first rule that answers counts.
public enum TaskRoute: Sendable {
    /// A function that gets the task's name, arguments and options, and answers nil where it has no opinion.
    public typealias Function =
        @Sendable (_ task: String, _ args: [JSONValue], _ kwargs: JSONObject, _ options: TaskOptions) -> Route?

    /// The task of exactly this name.
    case exact(String, Route)
    /// Tasks whose whole name matches a shell pattern: `*`, `?`, `[…]`, `[!…]`.
    case glob(String, Route)
    /// Whatever the function answers.
    case function(Function)
}

/// Where a route leads: a queue, or any options, which count where the send leaves them out.
public struct Route: Sendable {
    /// The options; `queue`, `exchange`, `routingKey` and `priority` are the usual ones.
    public var options: TaskOptions

    /// Makes a route of options.
    public init(_ options: TaskOptions) {
        self.options = options
    }

    /// Makes a route to a queue or exchange.
    public init(
        queue: String? = nil,
        exchange: String? = nil,
        routingKey: String? = nil,
        priority: UInt8? = nil
    ) {
        options = TaskOptions(queue: queue, exchange: exchange, routingKey: routingKey, priority: priority)
    }
}

extension Route: ExpressibleByStringLiteral {
    /// A route to the queue of this name.
    public init(stringLiteral queue: String) {
        self.init(queue: queue)
    }
}
