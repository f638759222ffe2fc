package import AMQP

/// A connection to a broker.
///
/// It closes itself when the last reference to it goes.
package protocol BrokerConnection: Sendable {
    /// Opens a channel, with publisher confirms where wanted.
    func openChannel(confirms: Bool) async throws(AMQPError) -> any BrokerChannel

    /// Returns when the connection has ended: nil when this side closed it, else the reason.
    func waitUntilClosed() async -> AMQPError?

    /// Whether the broker has asked publishers to pause (`connection.blocked`).
    var isBlocked: Bool { get }

    /// Closes the connection and its channels.
    func close() async
}

extension BrokerConnection {
    /// Opens a channel without publisher confirms.
    package func openChannel() async throws(AMQPError) -> any BrokerChannel {
        try await openChannel(confirms: false)
    }
}
