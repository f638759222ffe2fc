internal import AMQP
internal import Celery

/// A connection to the broker in memory; closes itself when the last reference to it goes.
final class InMemoryConnection: BrokerConnection {
    private let broker: InMemoryBroker
    private let id: Int
    private let ended: Pending<AMQPError?>

    init(broker: InMemoryBroker, id: Int, ended: Pending<AMQPError?>) {
        self.broker = broker
        self.id = id
        self.ended = ended
    }

    deinit {
        let id = id
        broker.change { $0.closeConnection(id, nil) }
    }

    var isBlocked: Bool { broker.isBlocked }
    var blockedState: BlockedState { broker.read { $0.blockedState } }

    func onBlockedChange(_ handler: @escaping BlockedHandler) -> BlockedState {
        let id = id
        return broker.update { $0.onBlockedChange(of: id, handler) }
    }

    func openChannel(confirms: Bool) async throws(AMQPError) -> any BrokerChannel {
        let id = id
        let (channel, ended) = try broker.update { state throws(AMQPError) in
            try state.openChannel(on: id, confirms: confirms)
        }
        return InMemoryChannel(connection: self, broker: broker, id: channel, ended: ended)
    }

    func waitUntilClosed() async -> AMQPError? {
        (try? await ended.value()) ?? nil
    }

    func close() async {
        let id = id
        broker.change { $0.closeConnection(id, nil) }
    }
}
