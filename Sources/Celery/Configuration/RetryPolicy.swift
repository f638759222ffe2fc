/// How often and how fast a publish is tried again when the connection fails; kombu's retry policy.
public struct RetryPolicy: Sendable, Hashable {
    /// Tries after the first one (`max_retries`); nil for no limit.
    public var maxRetries: Int?
    /// Wait before the first further try (`interval_start`).
    public var intervalStart: Duration
    /// What each further wait is longer (`interval_step`).
    public var intervalStep: Duration
    /// The longest wait (`interval_max`).
    public var intervalMax: Duration

    /// Makes a policy; the defaults are Celery's `task_publish_retry_policy`.
    public init(
        maxRetries: Int? = 3,
        intervalStart: Duration = .zero,
        intervalStep: Duration = .milliseconds(200),
        intervalMax: Duration = .seconds(1)
    ) {
        self.maxRetries = maxRetries
        self.intervalStart = intervalStart
        self.intervalStep = intervalStep
        self.intervalMax = intervalMax
    }

    /// The policy of the `rpc://` backend for results: 20 further tries, 0, 1, 1, … seconds apart.
    public static let results = RetryPolicy(
        maxRetries: 20,
        intervalStart: .zero,
        intervalStep: .seconds(1),
        intervalMax: .seconds(1)
    )

    /// How long to wait before a further try, counted from 0; nil when the limit is reached.
    package func delay(beforeRetry retry: Int) -> Duration? {
        if let maxRetries, retry >= maxRetries { return nil }
        // Beyond a million steps the longest wait is reached with any useful step; it keeps the product in range.
        return min(max(intervalStart + intervalStep * min(retry, 1_000_000), .zero), max(intervalMax, .zero))
    }

    /// The waits before each further try.
    package var delays: AnyIterator<Duration> {
        var retry = 0
        return AnyIterator {
            defer { retry += 1 }
            return delay(beforeRetry: retry)
        }
    }
}
