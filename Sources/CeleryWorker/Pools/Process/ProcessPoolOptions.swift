import AMQP
import Celery
import Logging

/// What the pool of child processes is made with.
struct ProcessPoolOptions: Sendable {
    /// Room for what goes over the pipe beside a body.
    private static let slack = 1 << 20

    let hostname: String
    let concurrency: Int
    let autoscale: Autoscale?
    let celery: CeleryConfiguration
    /// How long tasks may take to end after a cold shutdown has cancelled them.
    let cancellationTimeout: Duration
    /// The executable of the children; nil for this process's own.
    let executable: String?
    let logger: Logger
    let counters: WorkerCounters

    /// Largest payload that a child may send.
    var maxPayload: Int { max(0, min(celery.publishMaxBodySize, 1 << 30)) + Self.slack }
}
