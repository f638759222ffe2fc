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

    /// Whether the broker has asked publishers to pause, with its reason.
    var blockedState: BlockedState { get }

    /// Adds a handler that is told of each change of the blocked state from now on, until the connection ends; a connection
    /// that ends while it is blocked counts as unblocked.
    ///
    /// Called where the connection reads: it has to be quick. Answers the state before the first change that it is told of.
    @discardableResult
    func onBlockedChange(_ handler: @escaping BlockedHandler) -> BlockedState

    /// Closes the connection and its channels.
    func close() async
}

extension BrokerConnection {
    /// Opens a channel without publisher confirms.
    package func openChannel() async throws(AMQPError) -> any BrokerChannel {
        try await openChannel(confirms: false)
    }
}
