import Celery
import Testing

@testable import CeleryWorker

@Suite("ConsumerCredit")
struct ConsumerCreditTests {
    private func expect(
        _ credit: inout ConsumerCredit,
        _ expected: Bool,
        _ comment: Comment? = nil,
        location: SourceLocation = #_sourceLocation
    ) {
        let answer = credit.shouldReplace()
        #expect(answer == expected, comment, sourceLocation: location)
    }

    @Test("asks for a replacement once, when half of the credit is parked")
    func asksAtHalf() {
        var credit = ConsumerCredit(prefetch: 8, consumerTag: "w1")
        for _ in 0..<3 {
            credit.park("w1")
            expect(&credit, false)
        }
        credit.park("w1")
        expect(&credit, true)
        credit.park("w1")
        expect(&credit, false, "a replacement is under way")
    }

    @Test("counts the deliveries of the new consumer only")
    func startsAnew() {
        var credit = ConsumerCredit(prefetch: 4, consumerTag: "w1")
        credit.park("w1")
        credit.park("w1")
        expect(&credit, true)
        credit.park("w2")
        credit.replaced(by: "w2")
        expect(&credit, false)
        credit.park("w2")
        expect(&credit, true)
    }

    @Test("counts what was handed over as free again")
    func unparks() {
        var credit = ConsumerCredit(prefetch: 4, consumerTag: "w1")
        credit.park("w1")
        credit.unpark("w1")
        credit.park("w1")
        expect(&credit, false)
        credit.unpark("unknown")
        credit.park("w1")
        expect(&credit, true)
    }

    @Test("tries again when the replacement could not be started")
    func retriesReplacement() {
        var credit = ConsumerCredit(prefetch: 2, consumerTag: "w1")
        credit.park("w1")
        expect(&credit, true)
        credit.replaced(by: nil)
        expect(&credit, true)
    }

    @Test(
        "what is to be fetched without a bound is fetched with the largest there is",
        arguments: [(4, 2, 8), (4, 0, 65_535), (100_000, 1, 65_535), (.max, 2, 65_535)]
    )
    func prefetch(concurrency: Int, multiplier: Int, prefetch: Int) {
        let configuration = WorkerConfiguration(prefetchMultiplier: multiplier)
        #expect(WorkerParts.prefetch(concurrency, configuration, CeleryConfiguration()) == prefetch)
    }

    @Test("never asks where the prefetch has no bound")
    func unlimited() {
        var credit = ConsumerCredit(prefetch: 0, consumerTag: "w1")
        for _ in 0..<100 { credit.park("w1") }
        expect(&credit, false)
    }
}
