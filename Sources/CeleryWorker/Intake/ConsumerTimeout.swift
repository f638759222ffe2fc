import AMQPValues
import Celery

/// How long the broker lets a delivery be unsettled, and when the worker acts before that.
///
/// RabbitMQ closes the whole channel when one delivery on it is overdue (`consumer_timeout`). A queue's argument
/// `x-consumer-timeout`, in milliseconds, wins over the server's setting; policies are not visible over AMQP.
struct ConsumerTimeout: Sendable, Hashable {
    /// The most that the broker's periodic check and a busy worker may need between them.
    private static let longestMargin: Duration = .seconds(60)

    /// When the broker closes the channel.
    let limit: Duration

    /// The timeout of a queue; nil if there is none.
    init?(of queue: Queue, default fallback: Duration?) {
        let argument = queue.declaration.arguments["x-consumer-timeout"]?.intValue
        guard let limit = argument.map({ Duration.milliseconds($0) }) ?? fallback, limit > .zero else { return nil }
        self.limit = limit
    }

    /// How long before the limit deliveries go back: a fifth of it, at most a minute.
    var margin: Duration { min(limit / 5, Self.longestMargin) }

    /// How long a delivery may be held.
    var holdLimit: Duration { limit - margin }

    /// How often to look for deliveries that have been held for too long.
    var sweepInterval: Duration { min(max(holdLimit / 32, .milliseconds(50)), .seconds(15)) }
}
