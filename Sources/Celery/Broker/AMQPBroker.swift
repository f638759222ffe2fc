package import AMQP
package import Logging
internal import Synchronization

/// The broker of a configuration's URLs, over AMQP 0-9-1.
package final class AMQPBroker: Broker {
    private let consumeAddresses: BrokerAddresses
    private let publishAddresses: BrokerAddresses
    private let configuration: CeleryConfiguration
    private let connectionName: String?
    private let logger: Logger

    /// Makes a broker.
    ///
    /// - Parameters:
    ///   - configuration: `broker_url` and what belongs to it.
    ///   - connectionName: what the broker's management pages show.
    ///   - logger: where connections log to.
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for a URL that cannot be read.
    package init(
        configuration: CeleryConfiguration,
        connectionName: String? = nil,
        logger: Logger
    ) throws(CeleryError) {
        self.configuration = configuration
        self.connectionName = connectionName
        self.logger = logger
        let read = configuration.brokerReadURL ?? configuration.brokerURL
        let write = configuration.brokerWriteURL ?? configuration.brokerURL
        let strategy = configuration.brokerFailoverStrategy
        consumeAddresses = try BrokerAddresses(read, setting: "broker_read_url", strategy: strategy)
        publishAddresses = try BrokerAddresses(write, setting: "broker_write_url", strategy: strategy)
        for uri in consumeAddresses.all + publishAddresses.all { _ = try Self.settings(uri, configuration) }
    }

    package func connect(_ role: BrokerRole) async throws(AMQPError) -> any BrokerConnection {
        let addresses = role == .publish ? publishAddresses : consumeAddresses
        return try await addresses.firstThatWorks { uri throws(AMQPError) in
            do throws(AMQPError) {
                let settings = try await ready(uri, role)
                return AMQPBrokerConnection(connection: try await AMQPConnection.connect(settings, logger: logger))
            } catch {
                logger.debug("broker not reached", metadata: ["broker": "\(uri.redacted)", "error": "\(error)"])
                throw error
            }
        }
    }

    private func ready(_ uri: AMQPURI, _ role: BrokerRole) async throws(AMQPError) -> ConnectionConfiguration {
        var settings = try ConnectionConfiguration(uri: uri)
        Self.apply(configuration, to: &settings)
        settings.connectionName = connectionName.map { "\($0) (\(role.rawValue))" }
        return settings
    }

    private static func settings(
        _ uri: AMQPURI,
        _ configuration: CeleryConfiguration
    ) throws(CeleryError) -> ConnectionConfiguration {
        do {
            return try ConnectionConfiguration(uri: uri)
        } catch {
            throw CeleryError(error, "an option of the broker URL cannot be used")
        }
    }

    /// Options of the URL win over settings.
    private static func apply(_ configuration: CeleryConfiguration, to settings: inout ConnectionConfiguration) {
        let query = settings.uri.query
        if query["connect_timeout"] == nil, query["connection_timeout"] == nil {
            settings.connectTimeout = configuration.brokerConnectionTimeout
        }
        if query["heartbeat"] == nil { settings.heartbeat = configuration.brokerHeartbeat }
        if query["login_method"] == nil { settings.saslMechanism = configuration.brokerLoginMethod.mechanism }
        if let tls = configuration.brokerUseSSL {
            settings.tls = tls
            settings.uri.tls = true
        }
    }
}
