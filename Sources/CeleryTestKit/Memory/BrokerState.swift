internal import AMQP
internal import Celery
internal import DequeModule

/// The state of the broker in memory: pure but for the effects that it collects, which run outside of its lock.
struct BrokerState {
    typealias Effect = @Sendable () -> Void
    typealias Completion = @Sendable (Result<Void, AMQPError>) -> Void

    /// A connection.
    struct Connection {
        var ended: Pending<AMQPError?>
        var channels: [Int: Pending<AMQPError?>] = [:]
        /// Publishes that wait until the connection is unblocked.
        var blocked: [(channel: Int, message: OutgoingMessage, completion: Completion)] = []
        /// Told when the connection is blocked and unblocked.
        var onBlockedChange: [BlockedHandler] = []
    }

    var exchanges: [String: MemoryExchange] = [:]
    var queues: [String: MemoryQueue] = [:]
    var connections: [Int: Connection] = [:]
    var channels: [Int: MemoryChannelState] = [:]
    /// Queues and exchanges that clients may use, but neither declare nor bind.
    var protectedNames: Set<String> = []
    var refusesConnections = false
    /// Why connecting fails, where it does.
    var refusal = AMQPError(.connectionFailed, "the broker refuses connections")
    var losesNewConsumers = false
    var isBlocked = false
    var holdsConfirms = false
    var losesSettlements = false
    var publishedCount = 0
    var connectionCount = 0
    var staleSettlements = 0
    /// What is to be run, in this order; one task at a time does so.
    var effects: Deque<Effect> = []
    var isDraining = false
    private var lastID = 0
    private var lastSerial: UInt64 = 0

    init() {
        for type in MemoryExchange.types {
            exchanges["amq.\(type)"] = MemoryExchange(ExchangeDeclaration(name: "amq.\(type)", type: type))
        }
    }

    mutating func nextID() -> Int {
        lastID += 1
        return lastID
    }

    mutating func nextSerial() -> UInt64 {
        lastSerial += 1
        return lastSerial
    }

    // MARK: Connections and channels

    mutating func connect() throws(AMQPError) -> (id: Int, ended: Pending<AMQPError?>) {
        if refusesConnections { throw refusal }
        let id = nextID()
        let ended = Pending<AMQPError?>()
        connections[id] = Connection(ended: ended)
        connectionCount += 1
        return (id, ended)
    }

    mutating func openChannel(
        on connection: Int,
        confirms: Bool
    ) throws(AMQPError) -> (id: Int, ended: Pending<AMQPError?>) {
        guard connections[connection] != nil else { throw Self.connectionClosed }
        let id = nextID()
        let ended = Pending<AMQPError?>()
        channels[id] = MemoryChannelState(connection: connection, confirms: confirms)
        connections[connection]?.channels[id] = ended
        return (id, ended)
    }

    /// The channel; a request on one that has ended fails.
    func channel(_ id: Int) throws(AMQPError) -> MemoryChannelState {
        guard let channel = channels[id] else { throw AMQPError(.channelClosed, "the channel has been closed") }
        return channel
    }

    mutating func closeChannel(_ id: Int, _ error: AMQPError?) {
        guard let channel = channels.removeValue(forKey: id) else { return }
        for consumer in channel.consumers.values {
            effects.append { consumer.onEvent(.closed(error)) }
        }
        for (_, completion) in channel.heldConfirms {
            effects.append { completion(.failure(error ?? Self.connectionClosed)) }
        }
        // Consumers leave first, so that nothing is delivered to them any more.
        for (tag, consumer) in channel.consumers {
            leave(consumer.queue, MemoryQueue.ConsumerID(channel: id, tag: tag))
        }
        for unacked in channel.unacked.values.reversed() { requeue(unacked) }
        let queues = channel.unacked.values.map(\.queue) + channel.consumers.values.map(\.queue)
        for queue in Set(queues) { dispatch(queue) }
        if let ended = connections[channel.connection]?.channels.removeValue(forKey: id) {
            effects.append { ended.settle(.success(error)) }
        }
    }

    mutating func closeConnection(_ id: Int, _ error: AMQPError?) {
        guard let connection = connections[id] else { return }
        for channel in connection.channels.keys.sorted() { closeChannel(channel, error) }
        connections[id] = nil
        for (_, _, completion) in connection.blocked {
            effects.append { completion(.failure(error ?? Self.connectionClosed)) }
        }
        if isBlocked { tell(connection.onBlockedChange, .unblocked) }
        for (name, queue) in queues where queue.owner == id { removeQueue(name) }
        effects.append { connection.ended.settle(.success(error)) }
    }

    /// Ends the channel because of an error, as the broker does, and throws it.
    mutating func fail(_ channel: Int, _ replyCode: Int, _ message: String) -> AMQPError {
        let error = AMQPError(.channelClosed, message, replyCode: replyCode)
        closeChannel(channel, error)
        return error
    }

    /// Ends the connection because of an error, as the broker does, and throws it.
    mutating func failConnection(of channel: Int, _ replyCode: Int, _ message: String) -> AMQPError {
        let error = AMQPError(.connectionClosed, message, replyCode: replyCode)
        if let connection = channels[channel]?.connection { closeConnection(connection, error) }
        return error
    }

    static var connectionClosed: AMQPError { AMQPError(.connectionClosed, "the connection has been closed") }
}
