package import AMQP

/// A message that is ready to be published.
package struct ComposedTask: Sendable {
    /// The task's id.
    package var id: String
    /// The task's name.
    package var task: String
    /// The message with its target.
    package var message: OutgoingMessage
    /// The queue to declare first, once per connection; nil where the target is taken as it is.
    package var queue: Queue?
    /// What becomes of a delay; nil where there is none.
    package var delay: Delay?
    /// Whether the caller does not want a result.
    package var ignoresResult: Bool
    /// How the publish is tried again when the connection fails; nil for not at all.
    package var retryPolicy: RetryPolicy?
    /// How long the publish may take; nil for no limit.
    package var publishTimeout: Duration?

    /// Who delays a task with a countdown or an eta where quorum queues are in use.
    package enum Delay: Sendable, Hashable {
        /// The broker, by a ladder of queues of this type.
        case ladder(QueueType)
        /// The worker: the exchange is of a type that the ladder does not lead to.
        case worker(exchange: String)
    }

    package init(
        id: String,
        task: String,
        message: OutgoingMessage,
        queue: Queue?,
        delay: Delay? = nil,
        ignoresResult: Bool,
        retryPolicy: RetryPolicy?,
        publishTimeout: Duration? = nil
    ) {
        self.id = id
        self.task = task
        self.message = message
        self.queue = queue
        self.delay = delay
        self.ignoresResult = ignoresResult
        self.retryPolicy = retryPolicy
        self.publishTimeout = publishTimeout
    }
}
