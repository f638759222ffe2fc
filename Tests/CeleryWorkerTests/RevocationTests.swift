import AMQP
import Celery
import CeleryProtocol
import Testing

@testable import CeleryWorker

@Suite("LimitedSet")
struct LimitedSetTests {
    private let start = ContinuousClock.now

    @Test("keeps the last elements, as many as it may")
    func capacity() {
        var set = LimitedSet<Int>(capacity: 3, expiry: .seconds(60))
        for number in 1...5 { set.insert(number, now: start) }
        #expect(set.elements.map(\.element) == [3, 4, 5])
        #expect(!set.contains(2) && set.contains(3))
    }

    @Test("an element that is added again is the youngest")
    func again() {
        var set = LimitedSet<Int>(capacity: 3, expiry: .seconds(60))
        for number in [1, 2, 3, 1, 4] { set.insert(number, now: start) }
        #expect(set.elements.map(\.element) == [3, 1, 4])
    }

    @Test("age counts only once it is full")
    func expiry() {
        var set = LimitedSet<Int>(capacity: 3, expiry: .seconds(60))
        set.insert(1, now: start)
        set.insert(2, now: start + .seconds(100))
        #expect(set.contains(1))
        let gone = set.insert(3, now: start + .seconds(110))
        #expect(gone == [1])
        #expect(set.elements.map(\.element) == [2, 3])
    }

    @Test("merges by time, and keeps the later time of what both have")
    func merge() {
        var set = LimitedSet<Int>(capacity: 4, expiry: .seconds(600))
        set.insert(1, now: start + .seconds(10))
        set.insert(2, now: start + .seconds(20))
        let others = [(3, start + .seconds(5)), (1, start + .seconds(1)), (2, start + .seconds(30))]
        set.merge(others.map { (element: $0.0, time: $0.1) }, now: start + .seconds(25))
        #expect(set.elements.map(\.element) == [3, 1, 2])
        #expect(set.elements.map { ($0.time - start).seconds } == [5, 10, 25])
        let gone = set.insert(4, now: start + .seconds(26)) + set.insert(5, now: start + .seconds(26))
        #expect(gone == [3])
    }

    @Test("elements that are added again and again leave nothing behind")
    func repetition() {
        var set = LimitedSet<Int>(capacity: 10, expiry: .seconds(60))
        for number in 0..<10_000 { set.insert(number % 3, now: start + .milliseconds(number)) }
        #expect(set.count == 3)
        #expect(set.elements.map(\.element) == [1, 2, 0])
    }

    @Test("a capacity of 0 is none, as in Celery")
    func unbounded() {
        var set = LimitedSet<Int>(capacity: 0, expiry: .seconds(60))
        for number in 0..<100 { set.insert(number, now: start + .seconds(100 * number)) }
        #expect(set.count == 100)
    }
}

@Suite("Revocations")
struct RevocationsTests {
    private func headers(id: String = "id", stamps: FieldTable = [:]) -> TaskHeaders {
        var headers = TaskHeaders(task: "proj.add", id: id)
        headers.stamps = stamps
        headers.stampedHeaders = stamps.map(\.name)
        return headers
    }

    @Test("finds ids")
    func ids() {
        let revocations = Revocations()
        #expect(revocations.isEmpty && revocations.match(headers()) == nil)
        revocations.add(ids: ["other", "id"])
        #expect(revocations.match(headers()) == .id)
        #expect(revocations.match(headers(id: "unknown")) == nil)
        #expect(revocations.contains("other") && !revocations.contains("unknown"))
        #expect(revocations.ids == ["other", "id"])
    }

    @Test("finds a stamp by its value, and a list by any of its elements")
    func stamps() {
        let revocations = Revocations()
        revocations.add(stamps: [.init(name: "batch", value: "b1"), .init(name: "customer", value: 7)])
        #expect(revocations.match(headers(stamps: ["batch": "b1"])) == .stamp(.init(name: "batch", value: "b1")))
        #expect(revocations.match(headers(stamps: ["batch": "b2"])) == nil)
        #expect(revocations.match(headers(stamps: ["customer": .array([.int32(6), .int32(7)])])) != nil)
        #expect(revocations.match(headers(stamps: ["customer": .array([.int32(6)])])) == nil)
        #expect(revocations.match(headers(stamps: ["other": "b1"])) == nil)
    }

    @Test("a snapshot goes over to another worker")
    func snapshot() {
        let first = Revocations()
        first.add(ids: ["a", "b"])
        first.add(stamps: [.init(name: "batch", value: "b1")])
        let second = Revocations()
        second.add(ids: ["c"])
        let before = second.changes
        second.merge(first.snapshot)
        #expect(second.changes != before)
        #expect(Set(second.ids) == ["a", "b", "c"])
        #expect(second.match(headers(stamps: ["batch": "b1"])) != nil)
        second.merge(Revocations.Snapshot())
        #expect(Set(second.ids) == ["a", "b", "c"])
    }

    @Test("limits come from Celery's variables")
    func limits() throws {
        #expect(try RevocationLimits(environment: [:]) == RevocationLimits())
        let limits = try RevocationLimits(
            environment: ["CELERY_WORKER_REVOKES_MAX": "10", "CELERY_WORKER_REVOKE_EXPIRES": "1.5"]
        )
        #expect(limits.capacity == 10)
        #expect(limits.expiry == .seconds(1.5))
        for (name, value) in [("CELERY_WORKER_REVOKES_MAX", "many"), ("CELERY_WORKER_REVOKE_EXPIRES", "-1")] {
            let error = #expect(throws: CeleryError.self) { try RevocationLimits(environment: [name: value]) }
            #expect(error?.code == .invalidConfiguration)
        }
    }
}
