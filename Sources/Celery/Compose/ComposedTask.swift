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
    /// Whether the caller does not want a result.
    package var ignoresResult: Bool
    /// How the publish is tried again when the connection fails; nil for not at all.
    package var retryPolicy: RetryPolicy?

    package init(
        id: String,
        task: String,
        message: OutgoingMessage,
        queue: Queue?,
        ignoresResult: Bool,
        retryPolicy: RetryPolicy?
    ) {
        self.id = id
        self.task = task
        self.message = message
        self.queue = queue
        self.ignoresResult = ignoresResult
        self.retryPolicy = retryPolicy
    }
}
