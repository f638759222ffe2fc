internal import AMQP

/// A connection of `AMQPBroker`.
struct AMQPBrokerConnection: BrokerConnection {
    let connection: AMQPConnection

    var isBlocked: Bool { connection.isBlocked }
    var blockedState: BlockedState { connection.blockedState }

    func onBlockedChange(_ handler: @escaping BlockedHandler) -> BlockedState {
        connection.onBlockedChange(handler)
    }

    func openChannel(confirms: Bool) async throws(AMQPError) -> any BrokerChannel {
        try await connection.openChannel(confirms: confirms)
    }

    func waitUntilClosed() async -> AMQPError? {
        await connection.waitUntilClosed()
    }

    func close() async {
        await connection.close()
    }
}

extension AMQPChannel: BrokerChannel {}
