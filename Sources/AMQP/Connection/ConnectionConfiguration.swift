/// What a connection needs to know.
public struct ConnectionConfiguration: Sendable {
    /// How the client proves who it is.
    public enum SASLMechanism: Sendable, Hashable {
        /// User name and password of the URL.
        case plain
        /// The identity of the TLS client certificate.
        case external
    }

    /// Address of the broker.
    public var uri: AMQPURI
    /// Limit for reaching the broker, and again for the handshake.
    ///
    /// Celery: `broker_connection_timeout`.
    public var connectTimeout: Duration
    /// Wanted heartbeat, in whole seconds; the smaller of both sides' holds, zero turns it off.
    ///
    /// Celery: `broker_heartbeat`.
    public var heartbeat: Duration
    /// Limit for the broker's answer to a request such as a declaration.
    public var requestTimeout: Duration
    /// Limit for the broker's confirm of a publish; zero for none.
    ///
    /// A confirm that is missing after one to two limits ends the connection: without it nobody would ever know of the
    /// message's fate. While the broker holds back publishers (`connection.blocked`, `channel.flow`) it does not count.
    public var confirmTimeout: Duration
    /// Largest frame that is offered, in bytes; more than 4 MiB counts as 4 MiB.
    public var frameMax: Int
    /// Largest number of channels that is offered.
    public var channelMax: Int
    /// Largest body that is taken from the broker, in bytes; a larger one ends the connection.
    public var maximumBodySize: Int
    /// Largest body that is sent, in bytes; a larger one is refused before anything goes out (`messageTooLarge`).
    ///
    /// RabbitMQ closes the channel on a message above its `max_message_size`: 128 MiB, from 4.0 on 16 MiB, and never more
    /// than 512 MiB, which is the default here. Not a setting of Celery.
    public var maximumPublishSize: Int
    /// How many publishes may wait to be written, as while the broker blocks the connection.
    ///
    /// Beyond that `AMQPChannel.publish(_:deadline:)` waits and `publish(_:completion:)` fails. Not a setting of Celery.
    public var publishBufferMessages: Int
    /// How many bytes of bodies, properties and headers may wait to be written; one larger message may wait alone.
    ///
    /// Not a setting of Celery.
    public var publishBufferBytes: Int
    /// Name of the connection in the broker's management pages.
    public var connectionName: String?
    /// Further client properties, sent after our own.
    public var clientProperties: FieldTable
    /// How the client proves who it is.
    ///
    /// Celery: `broker_login_method`.
    public var saslMechanism: SASLMechanism
    /// Encryption, where the address asks for it.
    public var tls: TLSConfiguration

    /// Makes a configuration with defaults, changed by the address's options: `heartbeat`, `connect_timeout` (or
    /// `connection_timeout`) in seconds, `frame_max`, `channel_max`, `login_method` and the `ssl_` ones.
    ///
    /// - Throws: `AMQPError` with code `invalidURL` for an option with a value that cannot be read.
    public init(uri: AMQPURI) throws(AMQPError) {
        self.uri = uri
        connectTimeout = try Self.seconds(uri.query, "connect_timeout", "connection_timeout") ?? .seconds(4)
        heartbeat = try Self.seconds(uri.query, "heartbeat") ?? .seconds(120)
        requestTimeout = .seconds(30)
        confirmTimeout = .seconds(60)
        frameMax = try Self.number(uri.query, "frame_max", 4096...Int(Int32.max)) ?? Self.defaultFrame
        channelMax = try Self.number(uri.query, "channel_max", 1...65535) ?? 2047
        maximumBodySize = 512 * 1024 * 1024
        maximumPublishSize = 512 * 1024 * 1024
        publishBufferMessages = 65_536
        publishBufferBytes = 256 * 1024 * 1024
        clientProperties = [:]
        tls = try TLSConfiguration(query: uri.query)
        switch uri.query["login_method"]?.uppercased() {
        case nil, "PLAIN", "AMQPLAIN": saslMechanism = .plain
        case "EXTERNAL": saslMechanism = .external
        default: throw AMQPError(.invalidURL, "login_method is not one of PLAIN, EXTERNAL")
        }
    }

    /// Largest frame that is offered.
    var offeredFrameMax: Int { min(frameMax, Self.largestFrame) }

    /// Stack of the connection's thread in bytes, so that no table that fits into a frame can overflow it.
    ///
    /// librabbitmq before 0.14 decodes nested tables and arrays without a bound. A level takes at least five bytes of the
    /// frame and, measured, up to 120 bytes of the stack: 24 for each byte, which is more than doubled here for other
    /// compilers. Before the negotiation librabbitmq takes frames of its own default size.
    var stackSize: Int { (1 << 20) + 64 * max(offeredFrameMax, Self.defaultFrame) }

    private static let largestFrame = 4 << 20
    private static let defaultFrame = 131_072

    private static func seconds(_ query: [String: String], _ names: String...) throws(AMQPError) -> Duration? {
        for name in names {
            guard let text = query[name] else { continue }
            guard let value = Double(text), (0...86_400).contains(value) else {
                throw AMQPError(.invalidURL, "\(name) is not a number of seconds from 0 to 86400")
            }
            return .milliseconds(Int64(value * 1000))
        }
        return nil
    }

    private static func number(
        _ query: [String: String],
        _ name: String,
        _ range: ClosedRange<Int>
    ) throws(AMQPError) -> Int? {
        guard let text = query[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw AMQPError(.invalidURL, "\(name) is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
