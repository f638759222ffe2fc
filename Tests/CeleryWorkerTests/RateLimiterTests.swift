import Celery
import Testing

@testable import CeleryWorker

@Suite("TokenBucket")
struct TokenBucketTests {
    private let start = ContinuousClock.now

    @Test("gives one token at once, and one more after each interval")
    func rate() {
        var bucket = TokenBucket(fillRate: 10, now: start)
        var times: [Int] = []
        for millisecond in 0...1000 {
            let now = start + .milliseconds(millisecond)
            if bucket.take(now: now) { times.append(millisecond) }
        }
        #expect(times == Array(stride(from: 0, through: 1000, by: 100)))
    }

    @Test("idle time is no credit for more than one token")
    func capacity() {
        var bucket = TokenBucket(fillRate: 10, now: start)
        let later = start + .seconds(3600)
        let taken = (0..<3).map { _ in bucket.take(now: later) }
        #expect(taken == [true, false, false])
    }

    @Test("tells when the next token is there")
    func nextToken() {
        var bucket = TokenBucket(fillRate: 4, now: start)
        #expect(bucket.nextToken(now: start) == start)
        _ = bucket.take(now: start)
        let next = bucket.nextToken(now: start + .milliseconds(100))
        #expect(abs((next - start).seconds - 0.25) < 1e-6)
        let early = bucket.take(now: start + .milliseconds(249))
        let onTime = bucket.take(now: next)
        #expect(!early && onTime)
    }

    @Test("a clock that steps back, and a rate of one in ages, do no harm")
    func extremes() {
        var bucket = TokenBucket(fillRate: 1e-300, now: start)
        _ = bucket.take(now: start)
        #expect(bucket.nextToken(now: start - .seconds(5)) > start)
        let taken = bucket.take(now: start + .seconds(1_000_000))
        #expect(!taken)
    }
}

@Suite("RateLimiter")
struct RateLimiterTests {
    private let start = ContinuousClock.now

    private func limiter(_ limits: [(name: String, limit: RateLimit)]) -> RateLimiter<Int> {
        RateLimiter(limits, now: start)
    }

    @Test("is off without limits, and then lets everything pass")
    func off() {
        var limiter = limiter([("a", .off)])
        let admitted = limiter.admit("a", now: start)
        let appended = limiter.append(1, for: "a")
        #expect(limiter.isOff && admitted && !appended)
        #expect(limiter.count == 0)
    }

    @Test("keeps each type's order, and types do not wait for each other")
    func lines() {
        var limiter = limiter([("a", .perSecond(10)), ("b", .perSecond(1))])
        var admitted: [Bool] = []
        for (number, task) in ["a", "a", "a", "b", "b", "c"].enumerated() {
            let isAdmitted = limiter.admit(task, now: start)
            admitted.append(isAdmitted)
            if !isAdmitted { _ = limiter.append(number, for: task) }
        }
        #expect(admitted == [true, false, false, true, false, true])
        #expect(limiter.count == 3)
        let first = limiter.takeDue(now: start + .milliseconds(100))
        // Whoever comes now waits behind those that wait already.
        let overtakes = limiter.admit("a", now: start + .milliseconds(200))
        let second = limiter.takeDue(now: start + .milliseconds(200))
        let third = limiter.takeDue(now: start + .seconds(2))
        #expect(first == [1] && second == [2] && third == [4])
        #expect(!overtakes)
        #expect(limiter.count == 0)
    }

    @Test("tells when the next of any type is due")
    func nextDue() {
        var limiter = limiter([("a", .perSecond(10)), ("b", .perSecond(4))])
        let none = limiter.nextDue(now: start)
        for task in ["a", "b"] {
            _ = limiter.admit(task, now: start)
            _ = limiter.append(1, for: task)
        }
        let due = limiter.nextDue(now: start).map { ($0 - start).seconds }
        #expect(none == nil)
        #expect(abs((due ?? 0) - 0.1) < 1e-6)
    }

    @Test("what does not start any more leaves its line without using up the rate")
    func void() {
        var limiter = limiter([("a", .perSecond(1))])
        _ = limiter.admit("a", now: start)
        for number in 1...6 { _ = limiter.append(number, for: "a") }
        let nothing = limiter.takeDue(now: start, isVoid: { $0 == 2 })
        let taken = limiter.takeDue(now: start + .seconds(1), isVoid: { $0 < 4 })
        #expect(nothing.isEmpty)
        #expect(taken == [1, 2, 3, 4])
        #expect(limiter.count == 2)
    }

    @Test("a new limit counts from now on, with what waits in its order")
    func change() {
        var limiter = limiter([("a", .perSecond(0.001))])
        _ = limiter.admit("a", now: start)
        for number in 1...4 { _ = limiter.append(number, for: "a") }
        let kept = limiter.set(.perSecond(10), for: "a", now: start)
        let first = limiter.takeDue(now: start)
        let second = limiter.takeDue(now: start + .milliseconds(100))
        let freed = limiter.set(nil, for: "a", now: start)
        #expect(kept.isEmpty && first == [1] && second == [2] && freed == [3, 4])
        #expect(limiter.isOff && limiter.count == 0)
    }

    @Test("gives back what satisfies a condition")
    func removal() {
        var limiter = limiter([("a", .perSecond(1)), ("b", .perSecond(1))])
        for number in 1...6 { _ = limiter.append(number, for: number.isMultiple(of: 2) ? "a" : "b") }
        let removed = limiter.removeAll { $0 > 2 }
        #expect(Set(removed) == [3, 4, 5, 6])
        #expect(limiter.count == 2)
        let rest = limiter.takeDue(now: start)
        #expect(Set(rest) == [1, 2])
    }
}
