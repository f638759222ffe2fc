/// Puts method, header and body frames of one channel together into messages.
///
/// A pure state machine.
struct ContentAssembler: Sendable {
    /// What a message belongs to.
    enum Kind: Sendable, Hashable {
        case delivery(ContentSource)
        case get(ContentSource)
        case returned(code: Int, text: String, exchange: String, routingKey: String)
    }

    /// A message that is complete.
    struct Content: Sendable, Hashable {
        var kind: Kind
        var properties: BasicProperties
        /// Whether the properties could be read.
        var isReadable = true
        var body: [UInt8]
    }

    private enum State {
        case idle
        case awaitingHeader(Kind)
        case awaitingBody(Content, missing: Int)
    }

    private var state = State.idle
    let maximumBodySize: Int

    init(maximumBodySize: Int) {
        self.maximumBodySize = maximumBodySize
    }

    /// Whether a message has begun and is not complete.
    var isAssembling: Bool {
        if case .idle = state { return false }
        return true
    }

    /// A method that announces a message.
    mutating func begin(_ kind: Kind) throws(AMQPError) {
        guard case .idle = state else { throw Self.violation("a message began within another") }
        state = .awaitingHeader(kind)
    }

    /// The message's header, without properties where they cannot be read; answers the message if it has no body.
    mutating func header(bodySize: UInt64, _ properties: BasicProperties?) throws(AMQPError) -> Content? {
        guard case .awaitingHeader(let kind) = state else { throw Self.violation("a content header without a method") }
        guard bodySize <= UInt64(maximumBodySize) else {
            throw Self.violation("a body of \(bodySize) bytes is above the limit of \(maximumBodySize)")
        }
        let content = Content(
            kind: kind,
            properties: properties ?? BasicProperties(),
            isReadable: properties != nil,
            body: []
        )
        guard bodySize > 0 else {
            state = .idle
            return content
        }
        state = .awaitingBody(content, missing: Int(bodySize))
        return nil
    }

    /// A fragment of the body; answers the message with the last one.
    mutating func body(_ fragment: [UInt8]) throws(AMQPError) -> Content? {
        guard case .awaitingBody(var content, let missing) = state else {
            throw Self.violation("a body frame without a content header")
        }
        guard fragment.count <= missing else { throw Self.violation("a body is longer than its header says") }
        state = .idle
        if content.body.isEmpty, fragment.count == missing {
            content.body = fragment
            return content
        }
        // Memory grows with what has come, not with what the header promises.
        content.body.append(contentsOf: fragment)
        guard fragment.count < missing else { return content }
        state = .awaitingBody(content, missing: missing - fragment.count)
        return nil
    }

    private static func violation(_ message: String) -> AMQPError {
        AMQPError(.protocolViolation, message)
    }
}
