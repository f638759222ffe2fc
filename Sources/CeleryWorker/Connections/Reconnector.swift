import AMQP
import Celery
import Logging

/// Connects as often as the configuration allows, with growing waits between the attempts.
///
/// One value serves one role for the life of a worker: a connection that breaks soon after it was made does not start
/// the waits anew.
struct Reconnector {
    /// How long a connection has to last to count as stable.
    private static let stableAfter: Duration = .seconds(30)

    private let broker: any Broker
    private let role: BrokerRole
    private let configuration: CeleryConfiguration
    private let logger: Logger
    private var backoff = Backoff()
    private var connectedAt: ContinuousClock.Instant?

    init(broker: any Broker, role: BrokerRole, configuration: CeleryConfiguration, logger: Logger) {
        self.broker = broker
        self.role = role
        self.configuration = configuration
        self.logger = logger
    }

    /// Opens a connection.
    ///
    /// - Throws: ``CeleryError``: the last attempt's error when no further one is allowed, or `cancelled`.
    mutating func connect() async throws(CeleryError) -> any BrokerConnection {
        if let connectedAt {
            if ContinuousClock.now - connectedAt > Self.stableAfter { backoff.reset() }
            await Alarm.sleep(backoff.next())
        }
        var failures = 0
        while !Task.isCancelled {
            do {
                let connection = try await broker.connect(role)
                connectedAt = .now
                return connection
            } catch {
                failures += 1
                try await pause(after: error, failures: failures)
            }
        }
        throw CeleryError(.cancelled, "the worker ends")
    }

    /// Tells that the connection in use has ended.
    func lost(_ error: AMQPError?) {
        logger.warning(
            "Connection to the broker lost, connecting again",
            error: error ?? AMQPError(.connectionClosed, "closed"),
            metadata: ["role": "\(role)"]
        )
    }

    private mutating func pause(after error: AMQPError, failures: Int) async throws(CeleryError) {
        let isFirst = connectedAt == nil
        let retries = configuration.brokerConnectionRetry
        let isAllowed = isFirst ? configuration.brokerConnectionRetryOnStartup ?? retries : retries
        let limit = configuration.brokerConnectionMaxRetries ?? .max
        guard !Task.isCancelled else { throw CeleryError(.cancelled, "the worker ends") }
        guard isAllowed, failures <= limit else { throw CeleryError(error, "the broker cannot be reached") }
        let wait = backoff.next()
        logger.error(
            "Cannot connect to the broker, trying again",
            error: error,
            metadata: ["role": "\(role)", "attempt": "\(failures)", "seconds": "\(wait.seconds)"]
        )
        await Alarm.sleep(wait)
    }
}
