import AMQP
import Celery
import Testing

@testable import CeleryWorker

@Suite("Reconnect schedule")
struct ReconnectScheduleTests {
    private static let unreachable = AMQPError(.connectionFailed, "refused")
    private static let refused = AMQPError(.authenticationFailed, "ACCESS_REFUSED", replyCode: 403)

    private struct GaveUp: Error {}

    /// Runs a schedule against a clock that only the waits move.
    private struct Run {
        var schedule: ReconnectSchedule
        var now = ContinuousClock.now
        var generator = SeededGenerator(seed: 7)

        init(_ policy: ReconnectSchedule.Policy = .init()) {
            schedule = ReconnectSchedule(policy)
        }

        /// Fails and waits; nil where the schedule gives up.
        mutating func fail(
            _ error: AMQPError = ReconnectScheduleTests.unreachable
        ) -> (wait: Duration, failed: ReconnectSchedule.FailedTry?)? {
            guard case .attempt(let wait, let failed) = schedule.failed(error, now: now, using: &generator) else {
                return nil
            }
            now += wait
            return (wait, failed)
        }

        /// Fails where another attempt is expected.
        mutating func step(
            _ error: AMQPError = ReconnectScheduleTests.unreachable
        ) throws -> (wait: Duration, failed: ReconnectSchedule.FailedTry?) {
            guard let step = fail(error) else { throw GaveUp() }
            return step
        }

        /// Whether a failed attempt is the last one.
        mutating func isOver() -> Bool { fail() == nil }

        mutating func connect(for time: Duration, then error: AMQPError?) -> ReconnectSchedule.Step {
            schedule.connected(now: now)
            now += time
            let step = schedule.lost(error, now: now, using: &generator)
            if case .attempt(let wait, _) = step { now += wait }
            return step
        }
    }

    @Test("counted tries are 2, 4, 6 … 30 seconds apart, and alone have a line in the log")
    func countedTries() throws {
        var run = Run()
        var times: [Duration] = []
        var announced: [Duration] = []
        var attempts = 0
        let start = run.now
        while run.now - start < .seconds(400) {
            let time = run.now - start
            attempts += 1
            guard let failed = try run.step().failed else { continue }
            #expect(failed.number == times.count + 1)
            times.append(time)
            announced.append(failed.next)
        }
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        #expect(Array(gaps.prefix(17)) == (1...17).map { .seconds(min(2 * $0, 30)) })
        #expect(Array(announced.prefix(gaps.count)) == gaps)
        // In between there was an attempt at least once a second, and no more than about two a second.
        #expect((400...1000).contains(attempts))
    }

    @Test("while nobody answers an attempt follows within a second, whatever the outage's length")
    func quickAttempts() throws {
        var run = Run()
        let waits = try (0..<2_000).map { _ in try run.step().wait }
        #expect(waits.allSatisfy { $0 <= .seconds(1) })
        #expect((Duration.milliseconds(50)...Duration.milliseconds(100)).contains(waits[0]))
        #expect((Duration.milliseconds(100)...Duration.milliseconds(200)).contains(waits[1]))
        #expect((Duration.milliseconds(200)...Duration.milliseconds(400)).contains(waits[2]))
        #expect(Set(waits.suffix(100)).count > 50)
    }

    @Test("the limit of tries counts only the counted ones", arguments: [0, 1, 3])
    func limit(_ limit: Int) {
        var run = Run(.init(maxRetries: limit))
        var counted = 0
        let start = run.now
        while let step = run.fail() { if step.failed != nil { counted += 1 } }
        #expect(counted == limit)
        #expect(run.now - start == .seconds((1...3).map { 2 * $0 }.prefix(limit).reduce(0, +)))
        // A connection gives the whole number back.
        let step = run.connect(for: .zero, then: nil)
        #expect(step != .giveUp)
        let isOver = run.isOver()
        #expect(isOver == (limit == 0))
    }

    @Test("without a limit nothing gives up")
    func unlimited() {
        var run = Run(.init(maxRetries: nil))
        let ends = (0..<100_000).filter { _ in run.isOver() }
        #expect(ends.isEmpty)
    }

    @Test("the first connection follows a setting of its own")
    func firstConnection() {
        var patient = Run(.init(retriesAtStart: true, retriesAfterLoss: false))
        var isOver = patient.isOver()
        #expect(!isOver)
        var step = patient.connect(for: .seconds(60), then: nil)
        #expect(step == .giveUp)
        var impatient = Run(.init(retriesAtStart: false, retriesAfterLoss: true))
        isOver = impatient.isOver()
        #expect(isOver)
        step = impatient.connect(for: .seconds(60), then: nil)
        #expect(step != .giveUp)
        isOver = impatient.isOver()
        #expect(!isOver)
    }

    @Test("the settings' policy: the start follows broker_connection_retry unless it is told otherwise")
    func settings() {
        var celery = CeleryConfiguration()
        #expect(ReconnectSchedule.Policy(celery) == .init(maxRetries: 100))
        celery.brokerConnectionRetry = false
        #expect(ReconnectSchedule.Policy(celery).retriesAtStart == false)
        celery.brokerConnectionRetryOnStartup = true
        celery.brokerConnectionMaxRetries = nil
        #expect(
            ReconnectSchedule.Policy(celery) == .init(retriesAtStart: true, retriesAfterLoss: false, maxRetries: nil)
        )
    }

    @Test("where the broker refuses, the waits double to 30 seconds")
    func refusals() throws {
        var run = Run()
        let steps = try (0..<12).map { _ in try run.step(Self.refused) }
        for (step, bound) in zip(steps, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]) {
            #expect((Duration.seconds(bound / 2)...Duration.seconds(bound)).contains(step.wait))
        }
        // Every slow attempt is a counted one.
        #expect(steps.suffix(5).allSatisfy { $0.failed != nil })
        // Nobody answers any more: quick again.
        let quick = try run.step().wait
        #expect(quick <= .milliseconds(100))
        let again = try run.step(Self.refused).wait
        #expect(again <= .milliseconds(500))
    }

    @Test("a stable connection starts the waits anew, one that breaks at once does not")
    func stability() {
        var run = Run()
        var waits: [Duration] = []
        for _ in 0..<8 {
            guard case .attempt(let wait, nil) = run.connect(for: .seconds(1), then: Self.unreachable) else {
                Issue.record("gave up")
                return
            }
            waits.append(wait)
        }
        #expect(waits[0] <= .milliseconds(100))
        #expect((Duration.milliseconds(500)...Duration.seconds(1)).contains(waits[7]))
        guard case .attempt(let wait, nil) = run.connect(for: ReconnectSchedule.stableAfter, then: nil) else {
            Issue.record("gave up")
            return
        }
        #expect(wait <= .milliseconds(100))
        // One that the broker ends on purpose each time is tried ever more seldom.
        let policy = AMQPError(.connectionClosed, "NOT_ALLOWED", replyCode: 530)
        var last = Duration.zero
        for _ in 0..<10 {
            if case .attempt(let wait, nil) = run.connect(for: .seconds(1), then: policy) { last = wait }
        }
        #expect((Duration.seconds(15)...Duration.seconds(30)).contains(last))
    }

    @Test(
        "only a broker's decision is a refusal",
        arguments: [
            (AMQPError(.connectionFailed, ""), false), (AMQPError(.timeout, ""), false),
            (AMQPError(.heartbeatTimeout, ""), false), (AMQPError(.protocolViolation, ""), false),
            (AMQPError(.connectionClosed, "CONNECTION_FORCED", replyCode: 320), false),
            (AMQPError(.authenticationFailed, "INTERNAL_ERROR", replyCode: 541), false),
            (AMQPError(.connectionClosed, "FRAME_ERROR", replyCode: 501), false),
            (AMQPError(.authenticationFailed, ""), true), (AMQPError(.tls, ""), true),
            (AMQPError(.authenticationFailed, "NOT_ALLOWED", replyCode: 530), true),
            (AMQPError(.connectionClosed, "COMMAND_INVALID", replyCode: 503), true),
        ]
    )
    func classes(_ error: AMQPError, _ isRefusal: Bool) {
        #expect(error.isRefusal == isRefusal)
    }
}
