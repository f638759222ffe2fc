import Testing

@testable import CeleryCommandLine

/// Steps and exit codes as Celery 5.7's worker was seen to take them.
@Suite struct ShutdownSequenceTests {
    /// The kinds of actions upon these signals, and the exit code at the end.
    private func outcome(
        _ signals: ShutdownSequence.Signal...,
        remapped: Bool = false
    ) -> ([String], Int32) {
        var sequence = ShutdownSequence(remapsTerminate: remapped)
        let actions = signals.map { signal in
            switch sequence.receive(signal) {
            case .warm: "warm"
            case .cold: "cold"
            case .cancel: "cancel"
            case .restart: "restart"
            case .report: "report"
            case .exit: "exit"
            case .none: "none"
            }
        }
        return (actions, sequence.status.code)
    }

    @Test func terminateIsWarmWithCodeZero() {
        #expect(outcome(.terminate) == (["warm"], 0))
    }

    @Test func repeatedTerminateDoesNothing() {
        #expect(outcome(.terminate, .terminate) == (["warm", "none"], 0))
    }

    @Test func interruptIsWarmWithCodeOne() {
        #expect(outcome(.interrupt) == (["warm"], 1))
    }

    @Test func secondInterruptIsColdWithCodeZero() {
        #expect(outcome(.interrupt, .interrupt) == (["warm", "cold"], 0))
    }

    @Test func interruptAfterTerminateWarnsFirst() {
        #expect(outcome(.terminate, .interrupt, .interrupt) == (["warm", "warm", "cold"], 0))
    }

    @Test func quitIsColdAtOnce() {
        #expect(outcome(.quit) == (["cold"], 0))
        #expect(outcome(.terminate, .quit) == (["warm", "cold"], 0))
    }

    @Test func onceMoreCancelsAndThenEndsTheProcess() {
        #expect(outcome(.quit, .quit) == (["cold", "cancel"], 0))
        #expect(outcome(.quit, .interrupt, .quit) == (["cold", "cancel", "exit"], 1))
        #expect(outcome(.interrupt, .interrupt, .interrupt) == (["warm", "cold", "cancel"], 0))
        #expect(outcome(.quit, .terminate, .terminate) == (["cold", "none", "none"], 0))
    }

    @Test func terminateIsRemappedToQuit() {
        #expect(outcome(.terminate, remapped: true) == (["cold"], 0))
        #expect(outcome(.interrupt, .terminate, remapped: true) == (["warm", "cold"], 0))
        #expect(outcome(.terminate, .terminate, .terminate, remapped: true) == (["cold", "cancel", "none"], 0))
        #expect(outcome(.terminate, .terminate, .quit, remapped: true) == (["cold", "cancel", "exit"], 1))
    }

    @Test func hangUpRestartsUnlessSomebodyWantsTheEnd() {
        func restarts(_ signals: ShutdownSequence.Signal...) -> Bool {
            var sequence = ShutdownSequence()
            for signal in signals { _ = sequence.receive(signal) }
            return sequence.restarts
        }
        #expect(outcome(.hangUp, .hangUp) == (["restart", "none"], 0))
        #expect(outcome(.hangUp, .terminate) == (["restart", "warm"], 0))
        #expect(outcome(.terminate, .hangUp) == (["warm", "none"], 0))
        #expect(restarts(.hangUp))
        #expect(restarts(.hangUp, .user1))
        #expect(!restarts(.hangUp, .terminate))
        #expect(!restarts(.hangUp, .interrupt))
        #expect(!restarts(.hangUp, .quit))
        #expect(!restarts(.terminate, .hangUp))
    }

    @Test func aReportChangesNothing() {
        #expect(outcome(.user1, .terminate, .user1) == (["report", "warm", "report"], 0))
    }

    @Test func theMessagesAreCelerys() {
        var sequence = ShutdownSequence()
        #expect(sequence.receive(.terminate) == .warm(messages: ["worker: Warm shutdown (MainProcess)"]))
        guard case .cold(let messages) = sequence.receive(.quit) else {
            Issue.record("SIGQUIT is a cold shutdown")
            return
        }
        #expect(messages.last == "worker: Cold shutdown (MainProcess)")
    }
}
