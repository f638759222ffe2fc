import AMQP
import Synchronization

/// Ends a run in a child early: asks where the body can go on or clean up, and kills where it must not.
final class ChildInterrupter: Sendable {
    /// How long a child may outlive the signal of a revoke.
    private static let revokeGrace: Duration = .seconds(2)

    private let child: ChildProcess
    private let run: UInt64
    private let grace: Duration
    private let state = Mutex(State())

    private struct State {
        var hasEnded = false
        var alarm: Alarm.Pending?
    }

    /// - Parameter grace: how long a run may take to end after a cold shutdown has cancelled it.
    init(child: ChildProcess, run: UInt64, grace: Duration) {
        self.child = child
        self.run = run
        self.grace = grace
    }

    /// Interrupts the run.
    ///
    /// Nothing happens where it has ended meanwhile: the child may have another task by then.
    func interrupt(_ reason: Interruption.Reason) {
        state.withLock { if !$0.hasEnded { interrupt(reason, &$0) } }
    }

    private func interrupt(_ reason: Interruption.Reason, _ state: inout State) {
        switch reason {
        case .softLimit, .connectionLost: child.cancel(run, reason)
        case .shutdown:
            child.cancel(run, reason)
            // The worker waits for `grace`, and the outcome has to be on its way by then.
            killAfter(grace * 3 / 4, &state)
        case .revoked(let signal):
            child.cancel(run, reason)
            child.terminate(ChildHandle.number(ofSignal: signal) ?? ProcessExit.killSignal)
            killAfter(Self.revokeGrace, &state)
        case .hardLimit: child.kill()
        }
    }

    private func killAfter(_ delay: Duration, _ state: inout State) {
        state.alarm?.cancel()
        state.alarm = Alarm.after(delay) { [self] in
            self.state.withLock { if !$0.hasEnded { child.kill() } }
        }
    }

    /// The run has ended.
    ///
    /// A child that a signal was sent to has to end all the same.
    func end() {
        state.withLock { state in
            state.hasEnded = true
            state.alarm?.cancel()
            state.alarm = nil
        }
        if !child.isExpectedToLive { child.kill() }
    }
}
