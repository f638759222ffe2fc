/// Tells whether a consumer that counts as subscribed gets anything, and what to do where it does not.
///
/// Consuming is proven by deliveries; where there were none, by a probe: the broker counts a consumer of the queue, and no
/// messages stand ready for which the consumer has credit. Unproven twice in a row, the channel is replaced, and after
/// fruitless replacements ever more seldom. Unproven for longer than the limit while there is a connection, it gives up,
/// unless other queues are consumed: they are worth more than a fresh start.
///
/// A pure value: whoever uses it counts, probes and performs.
struct ConsumingWatchdog: Sendable {
    /// What a look at the queue has shown.
    enum Probe: Sendable, Hashable {
        /// What the broker tells of the queue, and whether the consumer has credit left for a message.
        case status(consumers: Int, ready: Int, hasCredit: Bool)
        /// The queue could not be looked at.
        case failed
        /// There is no consumer: it is being set up again.
        case notConsuming
    }

    /// Whom the broker gives a queue's messages to.
    enum Sharing: Sendable, Hashable {
        /// To every consumer that has credit.
        case shared
        /// To one of them, which need not be ours (`x-single-active-consumer`); RabbitMQ may not count the others.
        case singleActive
        /// The queue exists with other arguments than ours, or was not compared: either may be the case.
        case unknown
    }

    /// What to do now.
    enum Action: Sendable, Hashable {
        /// All is well, or nothing can be done yet.
        case none
        /// Look at the queue, and answer with `probed`.
        case probe
        /// Replace the consumer's channel.
        case replaceChannel
        /// End the worker.
        case giveUp
    }

    /// Unproven looks before the first replacement.
    private static let patience = 2
    private static let longestPatience = 64

    private let limit: Duration
    private var lastDeliveries = 0
    private var lastLook: ContinuousClock.Instant?
    private var unproven = Duration.zero
    private var looks = 0
    private var patience = Self.patience

    /// Makes the watchdog of a consumer.
    init(limit: Duration) {
        self.limit = limit
    }

    /// How often to look.
    static func interval(limit: Duration) -> Duration { min(.seconds(60), limit / 15) }

    /// For how long consuming has been unproven while there was a connection.
    var unprovenFor: Duration { unproven }

    /// A look at the count of the consumer's deliveries.
    mutating func look(deliveries: Int, now: ContinuousClock.Instant) -> Action {
        guard deliveries == lastDeliveries else {
            lastDeliveries = deliveries
            prove(now)
            return .none
        }
        return .probe
    }

    /// The answer to a probe.
    ///
    /// - Parameter othersWork: whether the worker consumes other queues.
    mutating func probed(
        _ probe: Probe,
        of sharing: Sharing,
        deliveries: Int,
        othersWork: Bool = false,
        now: ContinuousClock.Instant
    ) -> Action {
        if deliveries != lastDeliveries || isProof(probe, sharing) {
            lastDeliveries = deliveries
            prove(now)
            return .none
        }
        // Another one may be the single active consumer: then our end would be wrong, while a new channel does no harm.
        if case .status(let consumers, _, _) = probe, consumers > 0, sharing == .unknown {
            unproven = .zero
        } else {
            // After a pause of the whole process, which is no fault of the broker's, it looks more than once.
            unproven += min(lastLook.map { now - $0 } ?? .zero, Self.interval(limit: limit) * 2)
        }
        lastLook = now
        if unproven > limit, !othersWork { return .giveUp }
        looks += 1
        guard looks >= patience, probe != .notConsuming else { return .none }
        looks = 0
        patience = min(patience * 2, Self.longestPatience)
        return .replaceChannel
    }

    /// There is no connection for now: that time does not count.
    mutating func disconnected() { lastLook = nil }

    private func isProof(_ probe: Probe, _ sharing: Sharing) -> Bool {
        guard case .status(let consumers, let ready, let hasCredit) = probe, consumers > 0 else { return false }
        return ready == 0 || !hasCredit || sharing == .singleActive
    }

    private mutating func prove(_ now: ContinuousClock.Instant) {
        lastLook = now
        unproven = .zero
        looks = 0
        patience = Self.patience
    }
}
