import Testing

@testable import AMQP

@Suite("StallDetector tells a dead peer from a slow one")
struct StallDetectorTests {
    private typealias Sample = StallDetector.Sample

    /// Observes once in every interval for a while, and answers the first verdict with its time.
    private func watch(
        _ detector: inout StallDetector,
        for limit: Duration,
        turn: (Int) -> UInt = { UInt($0) * 2 },
        sample: (Duration) -> Sample?
    ) -> (verdict: StallDetector.Verdict, after: Duration)? {
        let start = SuspendingClock.now
        var (elapsed, count) = (Duration.zero, 0)
        while elapsed <= limit {
            if let verdict = detector.observe(turn: turn(count), sample: sample(elapsed), at: start + elapsed) {
                return (verdict, elapsed)
            }
            elapsed += detector.patience(after: sample(elapsed))
            count += 1
        }
        return nil
    }

    @Test func silenceOfTwoHeartbeatsIsTheEnd() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        let end = watch(&detector, for: .seconds(60)) { Sample(silence: $0) }
        #expect(end?.verdict == .silent)
        #expect(end?.after == .seconds(20))
    }

    @Test func unreadBytesAreNoSilence() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        #expect(watch(&detector, for: .seconds(60)) { Sample(silence: $0, hasUnread: true) } == nil)
    }

    @Test func bytesThatNobodyAcknowledgesAreTheEnd() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        let end = watch(&detector, for: .seconds(60)) { _ in
            Sample(silence: .seconds(1), awaitsAcknowledgement: true, bytesAcknowledged: 5)
        }
        #expect(end?.verdict == .unacknowledged)
        #expect(end.map { $0.after <= .seconds(23) } == true)
    }

    @Test func acknowledgedBytesAreLife() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        let end = watch(&detector, for: .seconds(300)) { elapsed in
            let acknowledged = UInt64(elapsed.components.seconds / 15)
            return Sample(silence: .zero, awaitsAcknowledgement: true, bytesAcknowledged: acknowledged)
        }
        #expect(end == nil)
    }

    @Test func turnWithoutProgressIsTheEnd() {
        var detector = StallDetector(heartbeat: .zero, requestTimeout: .seconds(30))
        let end = watch(&detector, for: .seconds(60), turn: { _ in 3 }) { Sample(silence: $0) }
        #expect(end?.verdict == .stuck)
        #expect(end.map { $0.after >= .seconds(30) && $0.after <= .seconds(34) } == true)
    }

    @Test func sleepIsNoTurn() {
        var detector = StallDetector(heartbeat: .zero, requestTimeout: .seconds(30))
        #expect(watch(&detector, for: .seconds(600), turn: { _ in 4 }) { Sample(silence: $0) } == nil)
    }

    @Test func longTurnThatMovesBytesGoesOn() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        let end = watch(&detector, for: .seconds(300), turn: { _ in 3 }) { elapsed in
            Sample(silence: .zero, bytesReceived: UInt64(elapsed.components.seconds / 15))
        }
        #expect(end == nil)
    }

    @Test func closingEndsALongTurnThatMovesBytes() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        detector.hurry(.seconds(5))
        let end = watch(&detector, for: .seconds(60), turn: { _ in 3 }) { elapsed in
            Sample(silence: .zero, bytesReceived: UInt64(elapsed.components.seconds))
        }
        #expect(end?.verdict == .stuck)
        #expect(end.map { $0.after <= .seconds(6) } == true)
    }

    @Test func systemThatTellsNothingLeavesTheTurns() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        let end = watch(&detector, for: .seconds(60), turn: { _ in 3 }) { _ in nil }
        #expect(end?.verdict == .stuck)
        #expect(end.map { $0.after >= .seconds(20) && $0.after <= .seconds(23) } == true)
    }

    /// A process that was stopped for a minute looks at its connections again.
    @Test func gapsCountForLittle() {
        var detector = StallDetector(heartbeat: .seconds(10), requestTimeout: .seconds(30))
        let start = SuspendingClock.now
        let sample = Sample(silence: .zero, awaitsAcknowledgement: true)
        #expect(detector.observe(turn: 3, sample: sample, at: start) == nil)
        #expect(detector.observe(turn: 3, sample: sample, at: start + .seconds(60)) == nil)
    }

    @Test func shortHeartbeatsLeaveATurnSomeTime() {
        let detector = StallDetector(heartbeat: .seconds(1), requestTimeout: .seconds(30))
        #expect(detector.turnLimit == StallDetector.shortestTurnLimit)
        #expect(detector.silenceLimit == .seconds(2))
    }
}
