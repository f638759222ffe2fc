import Synchronization

/// Bounds within which the number of child processes follows the work.
///
/// Celery: `--autoscale max,min`.
public struct Autoscale: Sendable, Hashable {
    /// How long nothing may have come before processes are taken away (Celery's `AUTOSCALE_KEEPALIVE`).
    public static let defaultKeepalive: Duration = .seconds(30)

    /// Most processes.
    public let max: Int
    /// Fewest processes; at least one, where Celery knows none as well.
    public let min: Int
    /// How long nothing may have come before processes are taken away.
    public let keepalive: Duration

    /// Makes bounds; the larger number is the upper one.
    public init(max: Int, min: Int, keepalive: Duration = Self.defaultKeepalive) {
        self.max = Swift.max(1, max, min)
        self.min = Swift.max(1, Swift.min(max, min))
        self.keepalive = keepalive
    }
}

/// Decides how many child processes there are to be.
///
/// Source: `celery.worker.autoscale.Autoscaler`. Pure: times come from outside.
struct AutoscaleRule {
    private let bounds: Autoscale
    private var lastGrowth: ContinuousClock.Instant?
    private var lastArrival: ContinuousClock.Instant?

    init(_ bounds: Autoscale) {
        self.bounds = bounds
    }

    /// Takes note of tasks that have come.
    mutating func arrived(at now: ContinuousClock.Instant) { lastArrival = now }

    /// How many processes there are to be; nil for as many as there are.
    ///
    /// - Parameters:
    ///   - processes: how many there are.
    ///   - reserved: tasks that run or wait for a process.
    ///   - now: the present.
    mutating func decide(processes: Int, reserved: Int, at now: ContinuousClock.Instant) -> Int? {
        let wanted = Swift.min(reserved, bounds.max)
        if wanted > processes {
            lastGrowth = now
            return wanted
        }
        let enough = Swift.max(reserved, bounds.min)
        guard enough < processes, let last = lastActivity, last.duration(to: now) > bounds.keepalive else { return nil }
        return enough
    }

    private var lastActivity: ContinuousClock.Instant? {
        guard let lastGrowth, let lastArrival else { return lastGrowth ?? lastArrival }
        return Swift.max(lastGrowth, lastArrival)
    }
}

/// Asks the rule, one after the other, with the time of the moment.
final class AutoscaleDriver: Sendable {
    private let rule: Mutex<AutoscaleRule>

    init(_ bounds: Autoscale) {
        rule = Mutex(AutoscaleRule(bounds))
    }

    /// How many processes there are to be; nil for as many as there are.
    func decide(_ processes: Int, reserved: Int, hasArrivals: Bool) -> Int? {
        rule.withLock { rule in
            let now = ContinuousClock.now
            if hasArrivals { rule.arrived(at: now) }
            return rule.decide(processes: processes, reserved: reserved, at: now)
        }
    }
}
