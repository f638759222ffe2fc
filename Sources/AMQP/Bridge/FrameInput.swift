internal import CRabbitMQ

/// Turns bytes into frames with librabbitmq's own decoder, without a socket: what a ``ConnectionHandle`` does with what
/// comes in.
///
/// For tests and fuzzing, which have no broker to speak to.
final class FrameInput {
    private let state: amqp_connection_state_t
    private var frame = amqp_frame_t()
    /// What a broker of another version would answer: librabbitmq takes limits only when its decoder has begun.
    private static let protocolHeader: [UInt8] = Array("AMQP".utf8) + [0, 0, 9, 1]

    init(frameMax: Int) throws(AMQPError) {
        guard let state = amqp_new_connection() else { throw AMQPError(.connectionFailed, "out of memory") }
        self.state = state
        try feed(Self.protocolHeader) {}
        amqp_tune_connection(state, 0, Int32(clamping: frameMax), 0)
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// Calls `body` with each frame that the bytes complete; the rest of a frame may follow in another call.
    func decode(_ bytes: [UInt8], _ body: (InboundFrame) throws(AMQPError) -> Void) throws(AMQPError) {
        // As the connection does, which frees what frames took at the end of each turn.
        defer { amqp_maybe_release_buffers(state) }
        try feed(bytes) { () throws(AMQPError) in
            // librabbitmq answers heartbeats by itself.
            if Int32(frame.frame_type) != AMQP_FRAME_HEARTBEAT { try body(InboundFrame(frame)) }
        }
    }

    private func feed(_ bytes: [UInt8], _ onFrame: () throws(AMQPError) -> Void) throws(AMQPError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let consumed = rest.withUnsafeBytes { buffer in
                // librabbitmq only reads the bytes, although their type is not const.
                let start = UnsafeMutableRawPointer(mutating: buffer.baseAddress)
                return amqp_handle_input(state, amqp_bytes_t(len: buffer.count, bytes: start), &frame)
            }
            guard consumed >= 0 else { throw LibraryStatus.error(consumed) }
            rest = rest.dropFirst(Int(consumed))
            if frame.frame_type != 0 { try onFrame() }
        }
    }
}
