package import AMQP

/// When a broker that was lost, or could not be reached, is tried again.
///
/// Celery's waits of 2, 4, 6 … 30 seconds lie between the *counted* tries: these alone are logged, and these alone
/// `broker_connection_max_retries` limits. As long as no broker answers, uncounted attempts run in between, with random
/// waits that double from 100 milliseconds to a second, so that work flows soon after the broker is back, however long it
/// was away. Where a broker answers and refuses, the waits double from half a second to 30 seconds.
///
/// A pure value: whoever uses it performs the waits, and says what time it is.
package struct ReconnectSchedule: Sendable {
    /// How often attempts are allowed (Celery's `broker_connection_…` settings).
    package struct Policy: Sendable, Hashable {
        /// Whether the first connection is tried again (`broker_connection_retry_on_startup`).
        package var retriesAtStart: Bool
        /// Whether a connection that was lost is made again (`broker_connection_retry`).
        package var retriesAfterLoss: Bool
        /// Counted tries after the first one of an outage (`broker_connection_max_retries`); nil for no limit.
        ///
        /// 0 gives up after the first try, as Celery does.
        package var maxRetries: Int?

        package init(retriesAtStart: Bool = true, retriesAfterLoss: Bool = true, maxRetries: Int? = nil) {
            self.retriesAtStart = retriesAtStart
            self.retriesAfterLoss = retriesAfterLoss
            self.maxRetries = maxRetries
        }

        /// The policy of a worker's settings.
        package init(_ configuration: CeleryConfiguration) {
            self.init(
                retriesAtStart: configuration.brokerConnectionRetryOnStartup ?? configuration.brokerConnectionRetry,
                retriesAfterLoss: configuration.brokerConnectionRetry,
                maxRetries: configuration.brokerConnectionMaxRetries
            )
        }
    }

    /// A counted try that has failed: worth a line in the log.
    package struct FailedTry: Sendable, Hashable {
        /// Its number within the outage, from 1.
        package let number: Int
        /// When the next counted one comes.
        package let next: Duration
    }

    /// What to do next.
    package enum Step: Sendable, Hashable {
        /// Wait, then try again; with the counted try that has failed, if it was one.
        case attempt(after: Duration, failed: FailedTry?)
        /// No further attempt is allowed.
        case giveUp
    }

    /// How long a connection has to last for the waits to start anew.
    package static let stableAfter = Duration.seconds(30)

    private static let quickWaits = Waits(first: .milliseconds(100), cap: .seconds(1))
    private static let refusalWaits = Waits(first: .milliseconds(500), cap: .seconds(30))
    private static let countedStep = Duration.seconds(2)
    private static let countedCap = 15

    private let policy: Policy
    private var hasConnected = false
    private var connectedAt: ContinuousClock.Instant?
    /// Counted tries of this outage that have failed.
    private var tries = 0
    /// When the next counted try is due; nil before the first one.
    private var countedDue: ContinuousClock.Instant?
    private var isCounted = true
    /// Attempts in a row that nobody answered.
    private var silences = 0
    /// Attempts in a row that the broker answered and refused.
    private var refusals = 0

    package init(_ policy: Policy = Policy()) {
        self.policy = policy
    }

    /// A connection was made.
    package mutating func connected(now: ContinuousClock.Instant) {
        hasConnected = true
        connectedAt = now
        tries = 0
        countedDue = nil
        isCounted = true
    }

    /// The connection in use has ended, by this error where it is known.
    package mutating func lost(
        _ error: AMQPError?,
        now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Step {
        if let connectedAt, now - connectedAt >= Self.stableAfter {
            silences = 0
            refusals = 0
        }
        guard policy.retriesAfterLoss else { return .giveUp }
        return .attempt(after: wait(after: error, using: &generator), failed: nil)
    }

    /// An attempt has failed.
    package mutating func failed(
        _ error: AMQPError,
        now: ContinuousClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Step {
        guard hasConnected ? policy.retriesAfterLoss : policy.retriesAtStart else { return .giveUp }
        var failed: FailedTry?
        if isCounted {
            tries += 1
            if let limit = policy.maxRetries, tries > limit { return .giveUp }
            let next = Self.countedStep * min(tries, Self.countedCap)
            countedDue = now + next
            failed = FailedTry(number: tries, next: next)
        }
        var wait = wait(after: error, using: &generator)
        let untilCounted = max(.zero, now.duration(to: countedDue ?? now))
        if !error.isRefusal { wait = min(wait, untilCounted) }
        isCounted = wait >= untilCounted
        return .attempt(after: wait, failed: failed)
    }

    /// ``lost(_:now:using:)`` with the system's random numbers.
    package mutating func lost(_ error: AMQPError?, now: ContinuousClock.Instant = .now) -> Step {
        var generator = SystemRandomNumberGenerator()
        return lost(error, now: now, using: &generator)
    }

    /// ``failed(_:now:using:)`` with the system's random numbers.
    package mutating func failed(_ error: AMQPError, now: ContinuousClock.Instant = .now) -> Step {
        var generator = SystemRandomNumberGenerator()
        return failed(error, now: now, using: &generator)
    }

    private mutating func wait(
        after error: AMQPError?,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        if error?.isRefusal == true {
            silences = 0
            defer { refusals += 1 }
            return Self.refusalWaits.wait(refusals, using: &generator)
        }
        refusals = 0
        defer { silences += 1 }
        return Self.quickWaits.wait(silences, using: &generator)
    }
}

extension ReconnectSchedule {
    /// Waits that double up to a cap, each shortened at random by up to a half.
    ///
    /// Jitter keeps a fleet of workers from connecting in step.
    private struct Waits {
        let first: Duration
        let cap: Duration

        func wait(_ number: Int, using generator: inout some RandomNumberGenerator) -> Duration {
            let step = min(cap, first * (1 << min(number, 16)))
            return step * Double.random(in: 0.5...1, using: &generator)
        }
    }
}

extension AMQPError {
    /// Reply codes that tell of a broker on its way up or down, or of a disturbed line, and of no decision.
    private static let passingReplyCodes: Set<Int> = [320, 501, 502, 504, 505, 541]

    /// Whether a broker has answered and does not want this client: login, virtual host, TLS, a policy or a limit.
    ///
    /// An attempt soon afterwards would end in the same way.
    package var isRefusal: Bool {
        if let replyCode { return !Self.passingReplyCodes.contains(replyCode) }
        return switch code {
        case .authenticationFailed, .tls, .invalidArgument, .invalidURL: true
        default: false
        }
    }
}
