import AMQP
import Celery
import Logging

/// What a command has that works on the broker: settings, log, and connections.
struct BrokerAccess: Sendable {
    let configuration: CeleryConfiguration
    let logger: Logger
    private let broker: any Broker

    /// Reads the settings and sets up the log of a command.
    ///
    /// - Throws: `CommandFailure` for settings that cannot be used.
    init<Application: CeleryApplication>(
        _ application: Application.Type,
        global: GlobalOptions,
        command: String,
        variables: CommandEnvironment = .process
    ) throws {
        let configuration = try CeleryConfiguration.load(
            base: Application.configuration(),
            global: global,
            variables: variables
        )
        Application.bootstrapLogging(global.loggingOptions(level: .warning, variables: variables))
        try self.init(configuration, logger: Logger(label: "celery.\(command)"))
    }

    /// Makes access to the broker of some settings.
    ///
    /// - Throws: `CommandFailure` for addresses that cannot be read.
    init(_ configuration: CeleryConfiguration, logger: Logger) throws {
        do {
            let broker = try AMQPBroker(configuration: configuration, logger: logger)
            self.init(configuration, logger: logger, broker: broker)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Makes access to a broker that is given, for tests.
    init(_ configuration: CeleryConfiguration, logger: Logger, broker: any Broker) {
        self.configuration = configuration
        self.logger = logger
        self.broker = broker
    }

    /// The same settings with another broker's address.
    func with(brokerURL: String) throws -> BrokerAccess {
        var configuration = configuration
        configuration.brokerURL = brokerURL
        configuration.brokerReadURL = nil
        configuration.brokerWriteURL = nil
        return try BrokerAccess(configuration, logger: logger)
    }

    /// Connects, uses the connection and closes it.
    ///
    /// - Throws: `CommandFailure`: `unavailable` where the broker cannot be reached.
    func withConnection<Value: Sendable>(
        _ role: BrokerRole,
        _ body: (any BrokerConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(role)
        do {
            let value = try await body(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw Self.failure(error)
        }
    }

    /// Connects.
    ///
    /// - Throws: `CommandFailure`: `unavailable` where the broker cannot be reached.
    func connect(_ role: BrokerRole) async throws -> any BrokerConnection {
        do throws(AMQPError) {
            return try await broker.connect(role)
        } catch {
            throw Self.failure(error)
        }
    }

    /// The error as the command's end.
    static func failure(_ error: any Error) -> any Error {
        switch error {
        case let error as AMQPError: CommandFailure(CeleryError(error, "the broker cannot be used"))
        case let error as CeleryError: CommandFailure(error)
        default: error
        }
    }
}
