import AMQP
import Synchronization

/// Ends a run in a child early: asks where the body can go on or clean up, and kills where it must not.
final class ChildInterrupter: Sendable {
    /// How long a child may outlive the signal of a revoke.
    private static let revokeGrace: Duration = .seconds(2)

    private let child: ChildProcess
    private let run: UInt64
    private let grace: Duration
    private let alarm = Mutex<Alarm.Pending?>(nil)

    /// - Parameter grace: how long a run may take to end after a cold shutdown has cancelled it.
    init(child: ChildProcess, run: UInt64, grace: Duration) {
        self.child = child
        self.run = run
        self.grace = grace
    }

    /// Interrupts the run.
    func interrupt(_ reason: Interruption.Reason) {
        switch reason {
        case .softLimit, .connectionLost: child.cancel(run, reason)
        case .shutdown:
            child.cancel(run, reason)
            // The worker waits for `grace`, and the outcome has to be on its way by then.
            killAfter(grace * 3 / 4)
        case .revoked(let signal):
            child.cancel(run, reason)
            child.terminate(ChildHandle.number(ofSignal: signal) ?? ProcessExit.killSignal)
            killAfter(Self.revokeGrace)
        case .hardLimit: child.kill()
        }
    }

    private func killAfter(_ delay: Duration) {
        let pending = Alarm.after(delay) { [child] in child.kill() }
        alarm.withLock { alarm in
            alarm?.cancel()
            alarm = pending
        }
    }

    /// The run has ended.
    ///
    /// A child that a signal was sent to has to end all the same.
    func end() {
        alarm.withLock { $0?.cancel() }
        if !child.isExpectedToLive { child.kill() }
    }
}
