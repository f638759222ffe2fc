import AMQP
import Celery
import Logging

/// Connects as often as the configuration allows, as `ReconnectSchedule` tells.
///
/// One value serves one role for the life of a worker: a connection that breaks soon after it was made does not start
/// the waits anew.
struct Reconnector {
    /// A connection with its number.
    struct Connected {
        /// The connection.
        let connection: any BrokerConnection
        /// Which connection of its role this is, counted from 1.
        let epoch: Int
    }

    private let broker: any Broker
    private let role: BrokerRole
    private let maxRetries: Int?
    private let reconnects: WorkerCounters.Counter
    private let logger: Logger
    private var schedule: ReconnectSchedule
    private var epoch = 0

    init(
        broker: any Broker,
        role: BrokerRole,
        configuration: CeleryConfiguration,
        reconnects: WorkerCounters.Counter,
        logger: Logger
    ) {
        self.broker = broker
        self.role = role
        self.reconnects = reconnects
        self.logger = logger
        maxRetries = configuration.brokerConnectionMaxRetries
        schedule = ReconnectSchedule(ReconnectSchedule.Policy(configuration))
    }

    /// Opens a connection.
    ///
    /// - Throws: ``CeleryError``: the last attempt's error when no further one is allowed, or `cancelled`.
    mutating func connect() async throws(CeleryError) -> Connected {
        while !Task.isCancelled {
            do {
                return connected(try await broker.connect(role))
            } catch {
                guard !Task.isCancelled else { break }
                switch schedule.failed(error) {
                case .giveUp: throw CeleryError(error, "the broker cannot be reached")
                case .attempt(let wait, let failed):
                    log(error, failed)
                    await Alarm.sleep(wait)
                }
            }
        }
        throw CeleryError(.cancelled, "the worker ends")
    }

    /// Tells that the connection in use has ended, and waits until a new one may be tried.
    ///
    /// - Throws: ``CeleryError``: the connection's error where no further one is allowed.
    mutating func lost(_ error: AMQPError?) async throws(CeleryError) {
        let error = error ?? AMQPError(.connectionClosed, "closed")
        let metadata: Logger.Metadata = ["role": "\(role)", "epoch": "\(epoch)"]
        guard case .attempt(let wait, _) = schedule.lost(error) else {
            logger.critical(
                "Connection to the broker lost; broker_connection_retry forbids to connect again",
                error: error,
                metadata: metadata
            )
            throw CeleryError(error, "the connection to the broker was lost")
        }
        logger.warning("Connection to the broker lost, connecting again", error: error, metadata: metadata)
        await Alarm.sleep(wait)
    }

    private mutating func connected(_ connection: any BrokerConnection) -> Connected {
        schedule.connected(now: .now)
        epoch += 1
        if epoch > 1 { reconnects.add() }
        logger.log(
            level: epoch > 1 ? .notice : .debug,
            epoch > 1 ? "Connected to the broker again" : "Connected to the broker",
            metadata: ["role": "\(role)", "epoch": "\(epoch)"]
        )
        return Connected(connection: connection, epoch: epoch)
    }

    private func log(_ error: AMQPError, _ failed: ReconnectSchedule.FailedTry?) {
        guard let failed else {
            return logger.debug("still no broker", error: error, metadata: ["role": "\(role)"])
        }
        logger.error(
            "Cannot connect to the broker, trying again",
            error: error,
            metadata: [
                "role": "\(role)", "attempt": "\(failed.number)/\(maxRetries.map { "\($0)" } ?? "-")",
                "seconds": "\(failed.next.seconds)",
            ]
        )
    }
}
