public import AMQPValues
import OrderedCollections

/// A command of remote control, as it travels to the workers.
///
/// Source: `kombu.pidbox.Mailbox._publish`. It goes to the fanout exchange `celery.pidbox`, so that every worker gets it and
/// sees for itself whether it is meant.
public struct ControlRequest: Sendable, Hashable {
    /// Where a reply goes.
    public struct ReplyAddress: Sendable, Hashable {
        /// The exchange, `reply.celery.pidbox` by default.
        public var exchange: String
        /// The routing key: the id of whoever asks.
        public var routingKey: String

        /// Makes an address.
        public init(exchange: String, routingKey: String) {
            self.exchange = exchange
            self.routingKey = routingKey
        }
    }

    /// The command's name.
    public var method: String
    /// The command's arguments by name.
    public var arguments: JSONObject
    /// The node names of the workers that are meant; nil and empty leave that to the pattern.
    public var destination: [String]?
    /// A pattern of node names, together with ``matcher``; nil for all workers.
    public var pattern: String?
    /// How the pattern is written: `glob` or `pcre`.
    public var matcher: String?
    /// What the replies to this request have in common; nil where none is wanted.
    public var ticket: String?
    /// Where replies go; nil where none is wanted.
    public var replyTo: ReplyAddress?
    /// The sender's logical clock.
    public var clock: Int
    /// When the sender stops to wait, in seconds since 1970; nil where it does not wait.
    ///
    /// Workers do not look at it.
    public var expires: Double?

    /// Makes a request.
    public init(
        _ method: String,
        arguments: JSONObject = [:],
        destination: [String]? = nil,
        pattern: String? = nil,
        matcher: String? = nil,
        ticket: String? = nil,
        replyTo: ReplyAddress? = nil,
        clock: Int = 0,
        expires: Double? = nil
    ) {
        self.method = method
        self.arguments = arguments
        self.destination = destination
        self.pattern = pattern
        self.matcher = matcher
        self.ticket = ticket
        self.replyTo = replyTo
        self.clock = clock
        self.expires = expires
    }
}

extension ControlRequest {
    /// How large and how deep a request may be: the 50,000 ids of a `hello` are its largest part.
    public static let limits = JSONLimits(maxDepth: 64, maxBytes: 16 << 20)
    /// How many bytes the name of a command, a pattern or a ticket may have.
    static let maxTextBytes = 1_024

    /// Reads a request as it was delivered.
    ///
    /// Unknown entries are passed over, as kombu does.
    ///
    /// - Parameters:
    ///   - properties: the message's properties.
    ///   - body: the message's body.
    ///   - accept: the content types that are read (`accept_content`).
    ///   - limits: how large and how deep a body may be.
    /// - Throws: ``ProtocolError`` of the content type, of the JSON reader, or ``ProtocolError/Code/invalidControl``.
    public init(
        decoding properties: BasicProperties,
        body: [UInt8],
        accept: AcceptedContent = .json,
        limits: JSONLimits = Self.limits
    ) throws(ProtocolError) {
        let entries = try ControlReader.entries(properties, body: body, accept: accept, limits: limits)
        guard let method = try ControlReader.text(entries, "method") else {
            throw ProtocolError(.invalidControl, "the command has no 'method'")
        }
        self.init(
            method,
            arguments: try ControlReader.map(entries, "arguments") ?? [:],
            destination: try ControlReader.names(entries, "destination"),
            pattern: try ControlReader.text(entries, "pattern"),
            matcher: try ControlReader.text(entries, "matcher"),
            ticket: try ControlReader.text(entries, "ticket"),
            replyTo: try Self.address(entries),
            clock: properties.headers?["clock"]?.intValue ?? 0,
            expires: Self.expires(properties.headers?["expires"])
        )
    }

    private static func address(_ entries: JSONObject) throws(ProtocolError) -> ReplyAddress? {
        guard let map = try ControlReader.map(entries, "reply_to"), !map.isEmpty else { return nil }
        guard let exchange = try ControlReader.text(map, "exchange"),
            let routingKey = try ControlReader.text(map, "routing_key"),
            exchange.utf8.count <= 255, routingKey.utf8.count <= 255
        else { throw ProtocolError(.invalidControl, "'reply_to' has to name an exchange and a routing key") }
        return ReplyAddress(exchange: exchange, routingKey: routingKey)
    }

    /// The integer 0 stands for none.
    private static func expires(_ field: FieldValue?) -> Double? {
        guard let seconds = field?.doubleValue, seconds != 0 else { return nil }
        return seconds
    }

    /// The body with kombu's keys in kombu's order.
    public func encodedBody() -> [UInt8] {
        var entries = JSONObject(minimumCapacity: 7)
        entries["method"] = .string(method)
        entries["arguments"] = .object(arguments)
        entries["destination"] = destination.map { .array($0.map(JSONValue.string)) } ?? .null
        entries["pattern"] = pattern.map(JSONValue.string) ?? .null
        entries["matcher"] = matcher.map(JSONValue.string) ?? .null
        if let replyTo {
            entries["ticket"] = ticket.map(JSONValue.string) ?? .null
            entries["reply_to"] = [
                "exchange": .string(replyTo.exchange), "routing_key": .string(replyTo.routingKey),
            ]
        }
        return JSONValue.object(entries).serialized()
    }

    /// The properties as kombu writes them.
    public func properties() -> BasicProperties {
        var properties = ControlReader.properties(deliveryMode: 2)
        properties.headers = ["clock": .integer(clock), "expires": expires.map(FieldValue.double) ?? .integer(0)]
        return properties
    }
}
