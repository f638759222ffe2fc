import CeleryProtocol
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("Automatic retries: the wait")
struct AutoRetryTests {
    private static func rules(_ backoff: Double?, max: Duration = .seconds(600), jitter: Bool = false) -> AutoRetry {
        AutoRetry(on: [.any], backoff: backoff, backoffMax: max, jitter: jitter)
    }

    private static func waits(_ rules: AutoRetry) -> [Duration?] { (0...10).map { rules.delay(retries: $0) } }

    /// What `get_exponential_backoff_interval(int(max(1.0, backoff)), retries, maximum)` of Celery 5.7 answers for 0 to 10
    /// retries.
    @Test(
        "is Celery's for ten retries",
        arguments: [
            (1.0, 600, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]),
            (3.0, 600, [3, 6, 12, 24, 48, 96, 192, 384, 600, 600, 600]),
            (0.5, 600, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]),
            (2.9, 100, [2, 4, 8, 16, 32, 64, 100, 100, 100, 100, 100]),
        ]
    )
    func backoff(_ backoff: Double, _ longest: Int, _ expected: [Int]) {
        let waits = Self.waits(Self.rules(backoff, max: .seconds(longest)))
        #expect(waits == expected.map { .seconds($0) })
    }

    @Test("is min(maximum, factor * 2^retries) for all factors and maximums")
    func formula() {
        for factor in 1...20 {
            for longest in [0, 1, 7, 600, 86_400] {
                for retries in 0...20 {
                    let rules = Self.rules(Double(factor) + 0.25, max: .seconds(longest))
                    let power = (0..<retries).reduce(1) { product, _ in product * 2 }
                    #expect(rules.delay(retries: retries) == .seconds(min(longest, factor * power)))
                }
            }
        }
    }

    @Test("never overflows")
    func overflow() {
        for retries in [61, 62, 63, 64, 1_000, Int(Int32.max)] {
            #expect(Self.rules(1e18).delay(retries: retries) == .seconds(600))
            #expect(Self.rules(1).delay(retries: retries) == .seconds(600))
        }
    }

    @Test("with jitter is one of the whole seconds from zero to the wait, each asked for once")
    func jitter() {
        let asked = Mutex<[ClosedRange<Int>]>([])
        var rules = Self.rules(3, jitter: true)
        rules.random = { range in
            asked.withLock { $0.append(range) }
            return range.upperBound / 2
        }
        let waits = Self.waits(rules)
        let bounds = [3, 6, 12, 24, 48, 96, 192, 384, 600, 600, 600]
        #expect(asked.withLock { $0 } == bounds.map { 0...$0 })
        #expect(waits == bounds.map { .seconds($0 / 2) })
    }

    @Test("jitter reaches both ends and stays between them")
    func jitterBounds() {
        let rules = Self.rules(3, jitter: true)
        let waits = Set((0..<400).compactMap { _ in rules.delay(retries: 0) })
        #expect(waits == Set((0...3).map { .seconds($0) }))
    }

    @Test("without backoff is the countdown, or left to the task")
    func countdown() {
        #expect(AutoRetry(on: [.any], countdown: .seconds(7)).delay(retries: 4) == .seconds(7))
        #expect(AutoRetry(on: [.any]).delay(retries: 4) == nil)
        #expect(AutoRetry(on: [.any], backoff: 0, countdown: .seconds(7)).delay(retries: 4) == .seconds(7))
    }

    private struct Trouble: Error {}
    private struct Other: Error {}

    @Test("errors match by type, by name, by predicate; exceptions win")
    func matches() {
        let value = TaskError(type: "ValueError", "x")
        #expect(AutoRetry(on: [.type(Trouble.self)]).applies(to: Trouble()))
        #expect(!AutoRetry(on: [.type(Trouble.self)]).applies(to: Other()))
        #expect(AutoRetry(on: [.named("ValueError")]).applies(to: value))
        #expect(AutoRetry(on: [.named("builtins.ValueError")]).applies(to: value))
        #expect(!AutoRetry(on: [.named("proj.ValueError")]).applies(to: value))
        #expect(AutoRetry(on: [.matching { $0 is Trouble }]).applies(to: Trouble()))
        #expect(AutoRetry(on: [.any]).applies(to: Other()))
        #expect(!AutoRetry(on: [.any], except: [.type(Trouble.self)]).applies(to: Trouble()))
        #expect(!AutoRetry(on: []).applies(to: value))
    }
}
