import AMQP
import FoundationEssentials
import Logging
import Testing

/// The broker that this tier of tests uses: `RABBITMQ_URL`, as `Interop/broker.sh run` sets it.
enum BrokerEnvironment {
    static let url = ProcessInfo.processInfo.environment["RABBITMQ_URL"]
    static let tlsURL = ProcessInfo.processInfo.environment["RABBITMQ_TLS_URL"]
    static let tlsAuthorities = ProcessInfo.processInfo.environment["RABBITMQ_TLS_CA"]
    /// Certificate and key of a client that may log in by them.
    static let tlsCertificate = ProcessInfo.processInfo.environment["RABBITMQ_TLS_CERT"]
    static let tlsKey = ProcessInfo.processInfo.environment["RABBITMQ_TLS_KEY"]
    /// The command line of a rabbitmqctl for a private broker.
    static let control = ProcessInfo.processInfo.environment["RABBITMQ_CONTROL"]
    static let needed: Comment = "needs RabbitMQ: Interop/broker.sh run swift test"

    static func address() throws -> AMQPURI {
        let text = try #require(url)
        return try #require(try AMQPURI.parse(text).first)
    }

    static func connect(
        _ change: (inout ConnectionConfiguration) -> Void = { _ in }
    ) async throws -> AMQPConnection {
        var configuration = try ConnectionConfiguration(uri: address())
        configuration.connectionName = "broker tests"
        change(&configuration)
        return try await AMQPConnection.connect(configuration, logger: Logger(label: "broker tests"))
    }

    /// A name that no other test uses.
    static func uniqueName(_ purpose: String) -> String {
        "test.\(purpose).\(UUID().uuidString)"
    }
}

/// Calls `body` with a connection and a channel of its own, and closes them.
func withChannel(
    confirms: Bool = false,
    _ body: (AMQPConnection, AMQPChannel) async throws -> Void
) async throws {
    let connection = try await BrokerEnvironment.connect()
    let channel = try await connection.openChannel(confirms: confirms)
    do {
        try await body(connection, channel)
    } catch {
        await connection.close()
        throw error
    }
    await connection.close()
}

/// The AMQP error that `body` throws; nil if it throws none.
func amqpError(of body: () async throws(AMQPError) -> Void) async -> AMQPError? {
    do throws(AMQPError) {
        try await body()
        return nil
    } catch {
        return error
    }
}

/// The consumer's next delivery; fails the test if there is none.
func delivery(from consumer: Consumer) async throws -> Delivery {
    guard let delivery = try await consumer.next() else {
        throw AMQPError(.channelClosed, "the consumer has ended")
    }
    return delivery
}
