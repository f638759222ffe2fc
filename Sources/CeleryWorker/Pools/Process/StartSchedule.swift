/// When a child process may be started again after starts have failed.
///
/// The wait doubles with every round of failures, up to a cap. Pure: times come from outside.
struct StartSchedule {
    /// The first wait.
    static let first: Duration = .milliseconds(100)
    /// The longest wait.
    static let longest: Duration = .seconds(30)
    /// After so many rounds without any start that ever succeeded, the worker gives up.
    static let roundsBeforeGivingUp = 5

    /// What to do about a failure.
    struct Verdict: Hashable {
        /// How long to wait; nil where a failure of the same round has said so already.
        var newDelay: Duration?
        /// Whether the worker is to give up.
        var givesUp = false
    }

    private(set) var rounds = 0
    private var notBefore: ContinuousClock.Instant?
    private(set) var hasSucceeded = false

    /// How long a start has to wait; nil if it need not.
    func delay(at now: ContinuousClock.Instant) -> Duration? {
        guard let notBefore, notBefore > now else { return nil }
        return now.duration(to: notBefore)
    }

    /// A start has failed that was begun at this time.
    mutating func failed(begun: ContinuousClock.Instant, at now: ContinuousClock.Instant) -> Verdict {
        // All slots start at once: their failures are one.
        if let notBefore, begun < notBefore { return Verdict() }
        if let notBefore, notBefore.duration(to: now) > Self.longest { rounds = 0 }
        let delay = min(Self.longest, Self.first * (1 << min(rounds, 20)))
        rounds += 1
        notBefore = now + delay
        return Verdict(newDelay: delay, givesUp: !hasSucceeded && rounds >= Self.roundsBeforeGivingUp)
    }

    /// A child has become ready.
    mutating func succeeded() { hasSucceeded = true }

    /// A child was of use: it has run a task, or lived for a while.
    ///
    /// One that becomes ready only to die is no better than one that does not.
    mutating func proved() {
        rounds = 0
        notBefore = nil
    }
}
