internal import CSystemShims
internal import Synchronization

/// One connection's socket as `ConnectionGuard` sees it.
///
/// It has a descriptor of its own, a duplicate: librabbitmq closes its descriptor when it likes, and the number may then
/// belong to another file. The duplicate is used and closed under the lock only, so that it is never another's.
final class ConnectionWatch: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var detector: StallDetector
        var failure: AMQPError?
    }

    private let state: Mutex<State>
    private let loop: ConnectionLoop

    init(loop: ConnectionLoop) {
        self.loop = loop
        state = Mutex(State(detector: StallDetector(heartbeat: .zero, requestTimeout: .zero)))
    }

    deinit {
        withdraw()
    }

    /// Begins to watch a socket.
    ///
    /// - Throws: `AMQPError` with code `connectionFailed` where there is no descriptor or thread left.
    func start(descriptor: Int32, heartbeat: Duration, requestTimeout: Duration) throws(AMQPError) {
        let duplicate = swc_socket_duplicate(descriptor)
        guard duplicate >= 0 else { throw AMQPError(.connectionFailed, "no descriptor left for the guard") }
        state.withLock { state in
            state.detector = StallDetector(heartbeat: heartbeat, requestTimeout: requestTimeout)
            state.descriptor = duplicate
        }
        try ConnectionGuard.shared.add(self)
    }

    /// Ends the watch.
    func withdraw() {
        state.withLock { state in
            if state.descriptor >= 0 { swc_socket_close(state.descriptor) }
            state.descriptor = -1
        }
    }

    /// Gives the connection's thread no more than this for a turn, as the connection is to be closed.
    func hurry(_ limit: Duration) {
        let isWatched = state.withLock { state in
            state.detector.hurry(limit)
            return state.descriptor >= 0
        }
        if isWatched { ConnectionGuard.shared.wakeUp() }
    }

    /// Why the guard has ended the connection; nil where it has not.
    var failure: AMQPError? { state.withLock { $0.failure } }

    /// Looks at the socket and shuts it down where the peer is gone.
    ///
    /// - Returns: When to look again; nil for never.
    func look(at time: SuspendingClock.Instant) -> Duration? {
        state.withLock { state in
            guard state.descriptor >= 0, state.failure == nil else { return nil }
            let sample = StallDetector.Sample(swc_socket_sample(state.descriptor))
            guard let verdict = state.detector.observe(turn: loop.turnCount, sample: sample, at: time) else {
                return state.detector.patience(after: sample)
            }
            state.failure = state.detector.error(verdict)
            swc_socket_shutdown(state.descriptor)
            return nil
        }
    }
}

extension StallDetector.Sample {
    fileprivate init?(_ sample: swc_socket_sample_t) {
        guard sample.known != 0 else { return nil }
        self.init(
            silence: .milliseconds(Int64(sample.silent_ms)),
            hasUnread: sample.unread > 0,
            awaitsAcknowledgement: sample.unacked > 0 && sample.probing == 0,
            bytesAcknowledged: sample.bytes_acked,
            bytesReceived: sample.bytes_received
        )
    }
}

extension StallDetector {
    fileprivate func error(_ verdict: Verdict) -> AMQPError {
        switch verdict {
        case .silent: AMQPError(.heartbeatTimeout, "nothing came from the broker for two heartbeats")
        case .unacknowledged: AMQPError(.heartbeatTimeout, "the broker's system took nothing for two heartbeats")
        case .stuck:
            AMQPError(
                silenceLimit == nil ? .timeout : .heartbeatTimeout,
                "the broker took nothing for \(turnLimit.components.seconds) s"
            )
        }
    }
}
