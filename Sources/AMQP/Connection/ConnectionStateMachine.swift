/// The life of a connection.
///
/// A pure state machine.
struct ConnectionStateMachine: Sendable {
    /// What has to be done after an event.
    enum Action: Sendable, Hashable {
        case none
        /// Answer with `connection.close-ok`, then end with this error; nil where this side was leaving anyway.
        case acknowledgeCloseAndEnd(AMQPError?)
        /// End with this error; nil where this side wanted it.
        case end(AMQPError?)
    }

    private enum State {
        case idle
        case open
        case closing(deadline: ContinuousClock.Instant)
        case closed(AMQPError?)
    }

    private var state = State.idle

    /// Whether requests may be made.
    var isOpen: Bool {
        if case .open = state { return true }
        return false
    }

    /// The error for a request that comes too early or too late; nil while the connection is open.
    var refusal: AMQPError? {
        switch state {
        case .open: nil
        case .idle: AMQPError(.connectionClosed, "the connection is not open")
        case .closing: AMQPError(.connectionClosed, "the connection is being closed")
        case .closed(let error): error ?? AMQPError(.connectionClosed, "the connection has been closed")
        }
    }

    /// When the broker has to have answered our close.
    var closeDeadline: ContinuousClock.Instant? {
        if case .closing(let deadline) = state { return deadline }
        return nil
    }

    mutating func opened() {
        state = .open
    }

    /// This side wants to end; answers whether `connection.close` has to be sent.
    mutating func close(deadline: ContinuousClock.Instant) -> Bool {
        switch state {
        case .open:
            state = .closing(deadline: deadline)
            return true
        case .idle:
            state = .closed(nil)
            return false
        case .closing, .closed: return false
        }
    }

    mutating func receivedClose(_ reason: CloseReason) -> Action {
        let error = AMQPError(
            .connectionClosed,
            "the broker closed the connection: \(reason.text)",
            replyCode: reason.code
        )
        switch state {
        case .idle, .open:
            state = .closed(error)
            return .acknowledgeCloseAndEnd(error)
        case .closing:
            state = .closed(nil)
            return .acknowledgeCloseAndEnd(nil)
        case .closed: return .none
        }
    }

    mutating func receivedCloseOK() -> Action {
        guard case .closing = state else { return failed(AMQPError(.protocolViolation, "an unasked close-ok")) }
        state = .closed(nil)
        return .end(nil)
    }

    /// The socket or the protocol broke, or a limit of time passed.
    mutating func failed(_ error: AMQPError) -> Action {
        switch state {
        case .idle, .open:
            state = .closed(error)
            return .end(error)
        case .closing:
            // What goes wrong while we leave does not matter any more.
            state = .closed(nil)
            return .end(nil)
        case .closed: return .none
        }
    }
}
