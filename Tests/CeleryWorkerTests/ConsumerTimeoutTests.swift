import AMQP
import Celery
import Testing

@testable import CeleryWorker

@Suite("ConsumerTimeout")
struct ConsumerTimeoutTests {
    @Test("the queue's argument wins over the setting; without both there is none")
    func source() {
        #expect(ConsumerTimeout(of: "q", default: nil) == nil)
        #expect(ConsumerTimeout(of: "q", default: .zero) == nil)
        #expect(ConsumerTimeout(of: "q", default: .seconds(1800))?.limit == .seconds(1800))
        let queue = Queue("q", arguments: ["x-consumer-timeout": .int64(10_000)])
        #expect(ConsumerTimeout(of: queue, default: .seconds(1800))?.limit == .seconds(10))
        #expect(ConsumerTimeout(of: queue, default: nil)?.limit == .seconds(10))
    }

    @Test("the margin is a fifth, at most a minute")
    func margin() {
        #expect(ConsumerTimeout(of: "q", default: .seconds(10))?.holdLimit == .seconds(8))
        #expect(ConsumerTimeout(of: "q", default: .seconds(1800))?.holdLimit == .seconds(1740))
        #expect(ConsumerTimeout(of: "q", default: .seconds(10))?.sweepInterval == .milliseconds(250))
        #expect(ConsumerTimeout(of: "q", default: .seconds(1800))?.sweepInterval == .seconds(15))
    }
}

@Suite("ReplyQueueWarnings")
struct ReplyQueueWarningsTests {
    @Test("one line for each queue and interval, with the count of the results since")
    func oneLine() {
        let warnings = ReplyQueueWarnings(interval: .seconds(60))
        let start = ContinuousClock.now
        #expect(warnings.note("a", now: start) == 1)
        #expect(warnings.note("a", now: start + .seconds(1)) == nil)
        #expect(warnings.note("b", now: start + .seconds(1)) == 1)
        #expect(warnings.note("a", now: start + .seconds(59)) == nil)
        #expect(warnings.note("a", now: start + .seconds(60)) == 3)
        #expect(warnings.note("a", now: start + .seconds(61)) == nil)
    }

    @Test("keeps no more queues than its capacity")
    func bounded() {
        let warnings = ReplyQueueWarnings(interval: .seconds(60), capacity: 2)
        let start = ContinuousClock.now
        for name in ["a", "b", "c", "d"] { #expect(warnings.note(name, now: start) == 1) }
        #expect(warnings.note("d", now: start) == nil)
    }
}
