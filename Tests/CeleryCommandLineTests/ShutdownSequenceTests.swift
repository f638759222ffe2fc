import Testing

@testable import CeleryCommandLine

/// Steps and exit codes as Celery 5.7's worker was seen to take them.
@Suite struct ShutdownSequenceTests {
    /// The kinds of actions upon these signals, and the exit code at the end.
    private func outcome(_ signals: ShutdownSequence.Signal...) -> ([String], Int32) {
        var sequence = ShutdownSequence()
        let actions = signals.map { signal in
            switch sequence.receive(signal) {
            case .warm: "warm"
            case .cold: "cold"
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

    @Test func onceMoreEndsTheProcess() {
        #expect(outcome(.quit, .quit) == (["cold", "exit"], 1))
        #expect(outcome(.interrupt, .interrupt, .interrupt) == (["warm", "cold", "exit"], 1))
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
