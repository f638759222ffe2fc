/// Waits between attempts: they double from a first one up to a cap, each with random jitter.
///
/// Jitter keeps a fleet of workers from connecting in step after the broker came back.
struct Backoff: Sendable {
    /// The first wait, in seconds.
    let first: Double
    /// The longest wait, in seconds.
    let cap: Double
    private(set) var attempts = 0

    /// Makes a series of waits; both times are in seconds.
    init(first: Double = 0.25, cap: Double = 30) {
        self.first = first
        self.cap = cap
    }

    /// The next wait: between half of the current step and the whole of it.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let step = min(cap, first * Double(UInt64(1) << UInt64(min(attempts, 32))))
        attempts += 1
        return .milliseconds(Int64(Double.random(in: step / 2...step, using: &generator) * 1000))
    }

    /// The next wait, with the system's random numbers.
    mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Starts the series again after a success.
    mutating func reset() { attempts = 0 }
}
