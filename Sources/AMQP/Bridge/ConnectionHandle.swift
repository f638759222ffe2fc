internal import CRabbitMQ

/// A connection of librabbitmq that has logged in.
///
/// "A connection, socket or channel must not be shared between threads" (librabbitmq's README, Threading), and misuse
/// aborts the process. So a handle exists only between a successful login and `deinit`, it is not Sendable, and its one
/// owner is the actor that is pinned to the connection's thread.
final class ConnectionHandle {
    private let state: amqp_connection_state_t
    private let arena = Arena()
    private var frame = amqp_frame_t()
    /// Channels with decoded frames in librabbitmq's pools, which `releaseBuffers` frees.
    private var touched: [UInt16] = []
    /// The socket, for `poll` only.
    let descriptor: Int32
    /// Negotiated frame size in bytes.
    let frameMax: Int
    /// Negotiated number of channels.
    let channelMax: Int
    /// Negotiated heartbeat in seconds; 0 is off.
    let heartbeat: Int

    init(opening configuration: ConnectionConfiguration) throws(AMQPError) {
        state = try ConnectionOpening.open(configuration)
        descriptor = amqp_get_sockfd(state)
        frameMax = Int(amqp_get_frame_max(state))
        channelMax = Int(amqp_get_channel_max(state))
        heartbeat = Int(amqp_get_heartbeat(state))
    }

    deinit {
        amqp_destroy_connection(state)
    }

    /// The next frame that has come in, nil if there is none.
    ///
    /// Also sends a heartbeat where one is due.
    func nextFrame() throws(AMQPError) -> InboundFrame? {
        repeat {
            let status = swc_next_frame(state, &frame)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            guard status == AMQP_STATUS_OK.rawValue else { throw LibraryStatus.error(status) }
            // A heartbeat that librabbitmq reads within a write that waits for room comes out as a frame.
        } while frame.frame_type == UInt8(AMQP_FRAME_HEARTBEAT)
        if touched.last != frame.channel, !touched.contains(frame.channel) { touched.append(frame.channel) }
        return try InboundFrame(frame)
    }

    /// Frees what the frames since the last call took.
    ///
    /// Their Swift values own their memory.
    func releaseBuffers() {
        for channel in touched { amqp_maybe_release_buffers_on_channel(state, channel) }
        touched.removeAll(keepingCapacity: true)
    }

    /// Writes a method.
    func send(_ method: ClientMethod, on channel: UInt16) throws(AMQPError) {
        defer { arena.recycle() }
        let status = method.withCStruct(in: arena) { amqp_send_method(state, channel, $0, $1) }
        guard status == AMQP_STATUS_OK.rawValue else { throw LibraryStatus.error(status) }
    }

    /// Writes a message: method, header and body.
    func publish(_ message: OutgoingMessage, on channel: UInt16) throws(AMQPError) {
        defer { arena.recycle() }
        var properties = message.properties.cValue(in: arena)
        let exchange = arena.bytes(message.exchange)
        let routingKey = arena.bytes(message.routingKey)
        let status = message.body.withUnsafeBytes { body in
            // librabbitmq only reads the body, although its type is not const.
            let bytes = amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
            return amqp_basic_publish(
                state,
                channel,
                exchange,
                routingKey,
                message.mandatory ? 1 : 0,
                0,
                &properties,
                bytes
            )
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw LibraryStatus.error(status) }
    }

    /// Asks the broker to end the connection; its answer is a frame.
    func sendClose() throws(AMQPError) {
        defer { arena.recycle() }
        var method = amqp_connection_close_t()
        method.reply_code = UInt16(AMQP_REPLY_SUCCESS)
        method.reply_text = arena.bytes("Goodbye")
        let status = amqp_send_method(state, 0, AMQP_CONNECTION_CLOSE_METHOD, &method)
        guard status == AMQP_STATUS_OK.rawValue else { throw LibraryStatus.error(status) }
    }

    /// Answers the broker's `connection.close`.
    func sendCloseOK() throws(AMQPError) {
        var method = amqp_connection_close_ok_t()
        let status = amqp_send_method(state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &method)
        guard status == AMQP_STATUS_OK.rawValue else { throw LibraryStatus.error(status) }
    }
}
