/// A frame from the broker as Swift values, which own their memory.
enum InboundFrame: Sendable {
    case method(channel: UInt16, ServerMethod)
    /// A content header; without properties where they are nested too deeply to be read.
    case header(channel: UInt16, bodySize: UInt64, BasicProperties?)
    case body(channel: UInt16, [UInt8])
    case connectionClose(CloseReason)
    case connectionCloseOK
    case blocked(reason: String)
    case unblocked
    /// A method that a client never gets; the number is class and method of the specification.
    case unexpected(channel: UInt16, method: UInt32)
}
