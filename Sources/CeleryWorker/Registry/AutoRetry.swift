import Celery
import CeleryProtocol

/// Which errors make a task run again by itself, and when (Celery's `autoretry_for` and the `retry_…` options).
///
/// ``Ignore``, ``Retry`` and ``Reject`` are never retried, neither is a result that cannot be written as JSON.
public struct AutoRetry: Sendable {
    /// The errors to retry after.
    ///
    /// Celery: `autoretry_for`.
    public var on: [ErrorMatch]
    /// The errors not to retry after; they win.
    ///
    /// Celery: `dont_autoretry_for`.
    public var except: [ErrorMatch]
    /// The wait before the first retry in seconds, doubled before each further one; a part of a second is dropped, less than
    /// a second counts as one; nil or zero for none.
    ///
    /// Celery: `retry_backoff`, where `True` is one second.
    public var backoff: Double?
    /// The longest wait that the doubling leads to.
    ///
    /// Celery: `retry_backoff_max`.
    public var backoffMax: Duration
    /// Whether the wait is any whole number of seconds from zero to what the doubling says.
    ///
    /// Celery: `retry_jitter`.
    public var jitter: Bool
    /// The wait without backoff; nil for the task's `retryDelay`.
    ///
    /// Celery: `countdown` of `retry_kwargs`.
    public var countdown: Duration?
    /// How many retries these errors allow; nil for the task's `maxRetries`.
    ///
    /// Celery: `max_retries` of `retry_kwargs`.
    public var max: Int?
    /// How long after the start of the first run the last retry may start; nil for any time.
    ///
    /// A retry that would start later is not made: the task fails. The first run's start travels in the header
    /// `swcelery-first-run`, which Python's workers hand on as they do with all custom headers. Celery has no such option.
    public var budget: Duration?

    /// Where the random part of a wait comes from: a whole number within a range, each as likely as the others.
    package var random: @Sendable (ClosedRange<Int>) -> Int = { Int.random(in: $0) }

    /// Makes rules; the defaults are Celery's.
    public init(
        on: [ErrorMatch],
        except: [ErrorMatch] = [],
        backoff: Double? = nil,
        backoffMax: Duration = .seconds(600),
        jitter: Bool = true,
        countdown: Duration? = nil,
        max: Int? = nil,
        budget: Duration? = nil
    ) {
        self.on = on
        self.except = except
        self.backoff = backoff
        self.backoffMax = backoffMax
        self.jitter = jitter
        self.countdown = countdown
        self.max = max
        self.budget = budget
    }
}

extension AutoRetry {
    /// Whether the task runs again after this error.
    func applies(to error: any Error) -> Bool { !except.match(error) && on.match(error) }

    /// The wait before the next run; nil for the task's `retryDelay`.
    ///
    /// Celery: `celery.app.autoretry`, `celery.utils.time.get_exponential_backoff_interval`.
    ///
    /// - Parameter retries: how often the task was retried before.
    func delay(retries: Int) -> Duration? {
        guard let backoff, backoff != 0 else { return countdown }
        let longest = Self.seconds(backoffMax)
        let wait = Swift.min(longest, Self.doubled(Self.factor(backoff), times: retries))
        return .seconds(jitter ? random(0...wait) : wait)
    }

    private static func factor(_ backoff: Double) -> Int { Int(Swift.min(Swift.max(1, backoff), 1e9)) }

    /// The number times a power of two; the greatest there is where that is too much.
    private static func doubled(_ number: Int, times: Int) -> Int {
        guard times < number.leadingZeroBitCount - 1 else { return .max }
        return number << Swift.max(0, times)
    }

    /// Whole seconds, at least none.
    private static func seconds(_ duration: Duration) -> Int { Int(Swift.max(0, duration.components.seconds)) }

    /// What is wrong with the rules; nil where nothing is.
    var problem: String? {
        if let backoff, !backoff.isFinite || backoff < 0 { return "a backoff has to be a number of seconds from 0" }
        if backoffMax < .zero { return "the longest backoff cannot be negative" }
        if let countdown, countdown < .zero { return "a countdown cannot be negative" }
        if let max, max < 0 { return "a number of retries cannot be negative" }
        if let budget, budget < .zero { return "a budget of time cannot be negative" }
        return nil
    }
}
