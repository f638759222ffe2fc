/// Lets tasks start at a rate: a bucket of one token, which fills again at that rate.
///
/// It knows no clock: whoever asks says what time it is. Source of the rules: kombu's `TokenBucket` with the capacity 1.
struct TokenBucket: Sendable {
    private static let capacity = 1.0
    /// What sums of small fractions may miss of a token.
    private static let tolerance = 1e-6

    /// Tokens in a second.
    private let fillRate: Double
    private var tokens = Self.capacity
    private var lastFill: ContinuousClock.Instant

    /// Makes a full bucket.
    ///
    /// - Parameters:
    ///   - fillRate: tokens in a second, more than 0.
    ///   - now: the present.
    init(fillRate: Double, now: ContinuousClock.Instant) {
        self.fillRate = fillRate
        lastFill = now
    }

    /// Takes a token; false if there is none.
    mutating func take(now: ContinuousClock.Instant) -> Bool {
        fill(now)
        guard tokens >= Self.capacity - Self.tolerance else { return false }
        tokens = 0
        return true
    }

    /// When the next token is there; the present if it is there already.
    mutating func nextToken(now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        fill(now)
        let missing = max(0, Self.capacity - tokens)
        // A rate of one in centuries must not overflow the clock.
        return now + .seconds(min(missing / fillRate, 1e9))
    }

    private mutating func fill(_ now: ContinuousClock.Instant) {
        // Moves on even while the bucket is full: idle time is no credit for later.
        let elapsed = max(.zero, now - lastFill)
        tokens = min(Self.capacity, tokens + elapsed.seconds * fillRate)
        lastFill = now
    }
}
