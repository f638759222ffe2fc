import Synchronization

/// Why a running body is to end before it has ended by itself, and how that reaches it.
///
/// Whoever runs the body registers what an interruption does there: cancelling a Swift task, or telling a child process.
/// The reason with the highest rank so far counts; a reason of the same or a lower rank changes nothing.
final class Interruption: Sendable {
    /// Why a run is interrupted; the later ones outrank the earlier ones.
    enum Reason: Sendable, Hashable {
        /// Its soft time limit has passed.
        case softLimit
        /// Its channel was lost, and such runs are to be cancelled.
        case connectionLost
        /// The worker is shut down cold.
        case shutdown
        /// It was revoked with the wish to end it, by the signal of this name.
        case revoked(signal: String)
        /// Its hard time limit has passed.
        case hardLimit

        fileprivate var rank: Int {
            switch self {
            case .softLimit: 1
            case .connectionLost: 2
            case .shutdown: 3
            case .revoked: 4
            case .hardLimit: 5
            }
        }
    }

    private struct State {
        var reason: Reason?
        var handler: (@Sendable (Reason) -> Void)?
    }

    private let state = Mutex(State())

    /// The reason that counts; nil while there is none.
    var reason: Reason? { state.withLock { $0.reason } }

    /// Interrupts the run; false if a reason of at least this rank has done so before.
    @discardableResult
    func interrupt(_ reason: Reason) -> Bool {
        let (isNew, handler) = state.withLock { state -> (Bool, (@Sendable (Reason) -> Void)?) in
            if let earlier = state.reason, earlier.rank >= reason.rank { return (false, nil) }
            state.reason = reason
            return (true, state.handler)
        }
        handler?(reason)
        return isNew
    }

    /// Registers what an interruption does; called at once where there was one.
    ///
    /// It has to be quick, and is called once for each reason that outranks the ones before.
    func onInterrupt(_ handler: @escaping @Sendable (Reason) -> Void) {
        let reason = state.withLock { state in
            state.handler = handler
            return state.reason
        }
        if let reason { handler(reason) }
    }

    /// Forgets what an interruption does: the body has ended.
    func end() {
        state.withLock { $0.handler = nil }
    }
}
