import CeleryProtocol

/// Why a run is asked to end before it has ended by itself.
public enum CancellationReason: Sendable, Hashable {
    /// Its soft time limit has passed: a body that lets its `CancellationError` go fails with `SoftTimeLimitExceeded`.
    case softTimeLimit
    /// Its hard time limit has passed: the task fails with `TimeLimitExceeded` whatever the body does.
    case hardTimeLimit
    /// It was revoked, with the wish to end it.
    case revoked
    /// The worker is shut down cold.
    case shutdown
    /// Its connection was lost and its message comes back from the broker.
    case connectionLost
}

extension TaskContext {
    /// Why the run is asked to end; nil while it is not.
    public var cancellationReason: CancellationReason? {
        switch invocation.interruption.reason {
        case nil: nil
        case .softLimit: .softTimeLimit
        case .hardLimit: .hardTimeLimit
        case .revoked: .revoked
        case .shutdown: .shutdown
        case .connectionLost: .connectionLost
        }
    }

    /// Whether somebody has revoked the task while it runs; its Swift task is cancelled then, too.
    public var isRevoked: Bool { cancellationReason == .revoked }

    /// The hard time limit of this run: the message's, else the task's, else the settings'.
    public var timeLimit: Duration? { TimeLimits(invocation).hard }

    /// The soft time limit of this run: the message's, else the task's, else the settings'.
    public var softTimeLimit: Duration? { TimeLimits(invocation).soft }

    /// When the run is asked to end: at its soft time limit, else at its hard one; nil where it has none.
    public var deadline: ContinuousClock.Instant? {
        let limits = TimeLimits(invocation)
        return (limits.soft ?? limits.hard).map { start + $0 }
    }

    /// How much time is left until ``deadline``, at least none; nil where the run has no limit.
    public var remainingTime: Duration? {
        deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
    }
}
