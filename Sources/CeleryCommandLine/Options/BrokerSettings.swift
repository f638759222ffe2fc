import AMQP
import Celery

/// Puts the broker's address together: option, environment, the application's configuration, in this order.
enum BrokerSettings {
    /// The configuration with the addresses that apply.
    ///
    /// `-b` stands for every role of the broker. The variables have the effect that they have in Celery, where they go
    /// before the application's settings.
    ///
    /// - Throws: `CommandFailure` with the usage status for an address that cannot be read; it shows no part of it.
    static func apply(
        option: String?,
        variables: CommandEnvironment,
        to base: CeleryConfiguration
    ) throws -> CeleryConfiguration {
        var configuration = base
        if let option {
            configuration.brokerURL = option
            configuration.brokerReadURL = nil
            configuration.brokerWriteURL = nil
            _ = try addresses(option, from: "-b/--broker")
            return configuration
        }
        if let url = variables[.broker] { configuration.brokerURL = url }
        if let url = variables[.brokerRead] { configuration.brokerReadURL = url }
        if let url = variables[.brokerWrite] { configuration.brokerWriteURL = url }
        for url in [configuration.brokerURL, configuration.brokerReadURL, configuration.brokerWriteURL] {
            if let url { _ = try addresses(url, from: "the environment or the application's configuration") }
        }
        return configuration
    }

    /// The addresses that a worker consumes from, with the passwords hidden.
    static func redacted(_ configuration: CeleryConfiguration) throws -> String {
        let url = configuration.brokerReadURL ?? configuration.brokerURL
        return try addresses(url, from: "the configuration").map(\.redacted).joined(separator: ";")
    }

    private static func addresses(_ text: String, from source: String) throws -> [AMQPURI] {
        do {
            return try AMQPURI.parse(text)
        } catch {
            throw CommandFailure("The broker's address from \(source) is invalid: \(error.message)", status: .usage)
        }
    }
}
