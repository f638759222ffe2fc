public import AMQPValues
import OrderedCollections

/// A worker's reply to a command of remote control.
///
/// Source: `kombu.pidbox.Mailbox._publish_reply`.
public struct ControlReply: Sendable, Hashable {
    /// The node name of the worker that replies.
    public var node: String
    /// What it replies: `{"ok": …}`, `{"error": …}`, or whatever an inspecting command tells.
    public var value: JSONValue
    /// The request's ticket.
    public var ticket: String?
    /// The worker's clock of its mailbox.
    public var clock: Int

    /// Makes a reply.
    public init(node: String, value: JSONValue, ticket: String?, clock: Int = 0) {
        self.node = node
        self.value = value
        self.ticket = ticket
        self.clock = clock
    }
}

extension ControlReply {
    /// How large and how deep a reply may be.
    public static let limits = JSONLimits(
        maxDepth: JSONLimits.greatestDepth,
        maxBytes: 64 << 20,
        loneSurrogates: .replace
    )

    /// Reads a reply as it was delivered.
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
        guard entries.count == 1, let (node, value) = entries.elements.first else {
            throw ProtocolError(.invalidControl, "a reply has to be a map of one node's name")
        }
        self.init(
            node: node,
            value: value,
            ticket: properties.headers?["ticket"]?.stringValue,
            clock: properties.headers?["clock"]?.intValue ?? 0
        )
    }

    /// The body as kombu writes it.
    public func encodedBody() -> [UInt8] { JSONValue.object([node: value]).serialized() }

    /// The properties as kombu writes them.
    public func properties() -> BasicProperties {
        var properties = ControlReader.properties(deliveryMode: 1)
        properties.headers = ["ticket": ticket.map(FieldValue.string) ?? .void, "clock": .integer(clock)]
        return properties
    }
}
