/// Decides when a connection's peer is gone, from outside of the thread that works with it.
///
/// A pure state machine that is fed with observations. librabbitmq notices a silent peer only while it waits for a frame:
/// its writes have no limit of time, and before 0.14 a publish to a silent peer may even begin a read without one.
struct StallDetector: Sendable {
    /// What the system knows of the socket.
    struct Sample: Sendable, Hashable {
        /// Since when nothing has come in.
        var silence: Duration
        /// Whether something has come in that was not read yet.
        var hasUnread = false
        /// Whether something was sent that the peer's system has not acknowledged, although its window is open.
        var awaitsAcknowledgement = false
        /// Bytes that were acknowledged.
        var bytesAcknowledged: UInt64 = 0
        /// Bytes that came in.
        var bytesReceived: UInt64 = 0
    }

    /// Why a connection has to end.
    enum Verdict: Sendable, Hashable {
        /// Nothing has come in for two heartbeats.
        case silent
        /// What was sent has not reached the peer's system for two heartbeats.
        case unacknowledged
        /// The thread has been in one turn, in which no byte moved, for the limit.
        case stuck
    }

    /// Two heartbeats; nil where they are off.
    let silenceLimit: Duration?
    /// How long a turn may last without a byte moved.
    private(set) var turnLimit: Duration
    /// Whether a turn is limited even if bytes move.
    private var isClosing = false
    private var last: (turn: UInt, sample: Sample?, time: SuspendingClock.Instant)?
    private var stuckFor = Duration.zero
    private var unacknowledgedFor = Duration.zero

    /// The shortest limit of a turn: a busy machine may hold a healthy thread up for a while.
    static let shortestTurnLimit = Duration.seconds(3)

    init(heartbeat: Duration, requestTimeout: Duration) {
        silenceLimit = heartbeat > .zero ? heartbeat * 2 : nil
        turnLimit = silenceLimit.map { max($0, Self.shortestTurnLimit) } ?? requestTimeout
    }

    /// Bounds a turn also where bytes move, as this side wants to end the connection.
    mutating func hurry(_ limit: Duration) {
        isClosing = true
        turnLimit = min(turnLimit, limit)
    }

    /// How often to look.
    var interval: Duration {
        min(max(min(turnLimit, silenceLimit ?? turnLimit) / 8, .milliseconds(50)), .seconds(5))
    }

    /// When to look again after an observation: in time for the end of the peer's silence.
    func patience(after sample: Sample?) -> Duration {
        guard let silenceLimit, let sample else { return interval }
        return max(min(interval, silenceLimit - sample.silence), .milliseconds(1))
    }

    /// Takes an observation.
    ///
    /// - Parameters:
    ///   - turn: The loop's counter, which changes with each turn; odd within one.
    ///   - sample: What the system knows; nil where it tells nothing.
    mutating func observe(turn: UInt, sample: Sample?, at time: SuspendingClock.Instant) -> Verdict? {
        defer { last = (turn, sample, time) }
        // A process that was stopped meanwhile must not be taken for a peer that was silent: a gap counts for little.
        let elapsed = last.map { min($0.time.duration(to: time), interval * 2) } ?? .zero
        let acknowledged = sample?.bytesAcknowledged != last?.sample?.bytesAcknowledged
        let moved = acknowledged || sample?.bytesReceived != last?.sample?.bytesReceived
        let inSameTurn = turn % 2 == 1 && turn == last?.turn
        stuckFor = inSameTurn && (!moved || isClosing) ? stuckFor + elapsed : .zero
        let waits = sample?.awaitsAcknowledgement == true && last?.sample?.awaitsAcknowledgement == true
        unacknowledgedFor = waits && !acknowledged ? unacknowledgedFor + elapsed : .zero
        if let silenceLimit, let sample {
            if sample.silence >= silenceLimit, !sample.hasUnread { return .silent }
            if unacknowledgedFor >= silenceLimit { return .unacknowledged }
        }
        return stuckFor >= turnLimit ? .stuck : nil
    }
}
