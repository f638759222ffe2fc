/// How often tasks of one type may start on one worker.
///
/// Celery: `rate_limit`, read by `celery.utils.time.rate`.
public struct RateLimit: Sendable {
    /// No limit, for a task that `task_default_rate_limit` does not count for.
    public static let off = RateLimit(perSecond: 0)

    /// How many tasks may start in a second; 0 for any number.
    public let tasksPerSecond: Double
    /// The limit in Celery's notation, as it was given.
    public let description: String

    /// Whether nothing is limited.
    public var isOff: Bool { tasksPerSecond == 0 }

    /// Reads Celery's notation: a number per second, or one per second, minute or hour: `"10"`, `"10/s"`, `"100/m"`, `"5/h"`.
    ///
    /// Zero and an empty text mean no limit.
    ///
    /// - Throws: ``CeleryError/Code/invalidOption`` for another unit, and for what is no number or a negative one.
    public init(_ text: String) throws(CeleryError) {
        description = text
        guard !text.isEmpty else {
            tasksPerSecond = 0
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let number = Double(parts[0].filter { $0 != " " })
        let unit = Self.seconds(parts.count == 2 ? parts[1] : "s")
        guard let number, number >= 0, number.isFinite, let unit else {
            throw CeleryError(.invalidOption, "'\(text)' is no rate limit such as 10/s, 100/m or 5/h")
        }
        tasksPerSecond = number / unit
    }

    /// So many tasks in a second, none for no limit.
    ///
    /// - Precondition: the number is finite and not negative.
    public static func perSecond(_ number: Double) -> RateLimit { RateLimit(perSecond: number) }

    private init(perSecond number: Double) {
        precondition(number >= 0 && number.isFinite, "a rate limit is finite and not negative")
        tasksPerSecond = number
        description = number == number.rounded() && number < 1e15 ? "\(Int(number))/s" : "\(number)/s"
    }

    private static func seconds(_ unit: some StringProtocol) -> Double? {
        switch unit {
        case "s", "": 1
        case "m": 60
        case "h": 3600
        default: nil
        }
    }
}

extension RateLimit: Hashable, CustomStringConvertible {
    /// Whether both let as many tasks start, however they are written.
    public static func == (left: RateLimit, right: RateLimit) -> Bool { left.tasksPerSecond == right.tasksPerSecond }

    /// Hashes the rate.
    public func hash(into hasher: inout Hasher) { hasher.combine(tasksPerSecond) }
}
