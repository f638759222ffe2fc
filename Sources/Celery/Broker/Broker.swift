package import AMQP

/// What a connection is for; brokers may use other addresses and heartbeats for each.
package enum BrokerRole: String, Sendable, Hashable {
    /// A worker's connection that consumes and settles.
    case consume
    /// A connection that only publishes.
    case publish
    /// A client's connection that consumes results.
    case client
}

/// Where connections come from: a real broker, or one in memory for tests.
package protocol Broker: Sendable {
    /// Opens a connection for this purpose.
    ///
    /// Each call tries every known address at most once and throws the last one's error.
    func connect(_ role: BrokerRole) async throws(AMQPError) -> any BrokerConnection
}
