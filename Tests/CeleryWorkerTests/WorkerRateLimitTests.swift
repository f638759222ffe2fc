import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Synchronization
import Testing

@Suite("Worker: rate limits")
struct WorkerRateLimitTests {
    /// Notes the numbers of the tasks that ran, with their times.
    private final class Journal: Sendable {
        private let entries = Mutex<[(number: Int, time: ContinuousClock.Instant)]>([])

        var numbers: [Int] { entries.withLock { $0.map(\.number) } }
        var times: [ContinuousClock.Instant] { entries.withLock { $0.map(\.time) } }

        func note(_ number: Int) { entries.withLock { $0.append((number, .now)) } }
    }

    private static let oneSlot = WorkerConfiguration(concurrency: 1, prefetchMultiplier: 2)

    private static func register(_ tasks: inout TaskRegistry, _ journal: Journal, limit: RateLimit?) {
        tasks.register("proj.limited", arguments: "number", options: .init(rateLimit: limit)) { (number: Int) in
            journal.note(number)
            return number
        }
        tasks.register("proj.add", arguments: "x", "y", options: .init(rateLimit: .off)) { (x: Int, y: Int) in x + y }
    }

    @Test("tasks over the limit hold back neither slots nor the credit of others, and run when it is lifted, in order")
    func noStarvation() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        try await WorkerHarness.run(Self.oneSlot) {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            let ids = try (0..<30).map { try harness.send("proj.limited", [.int($0)]) }
            let add = try harness.send("proj.add", [1, 2])
            #expect(try await harness.result(of: add).result == 3)
            #expect(journal.numbers == [0])
            try await eventually("all wait") { harness.worker.statistics.rateLimited == 29 }
            try await eventually("only they are unsettled") { harness.broker.unackedCount(of: "celery") == 29 }
            #expect(harness.worker.setRateLimit(nil, for: "proj.limited"))
            #expect(harness.worker.rateLimit(of: "proj.limited") == nil)
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            #expect(journal.numbers == Array(0..<30))
            try await harness.queueIsEmpty()
        }
    }

    @Test("tasks start at the rate, not faster")
    func pace() async throws {
        let journal = Journal()
        try await WorkerHarness.run(Self.oneSlot) {
            Self.register(&$0, journal, limit: .perSecond(50))
        } _: { harness in
            let begin = ContinuousClock.now
            let ids = try (0..<11).map { try harness.send("proj.limited", [.int($0)]) }
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            #expect(journal.numbers == Array(0..<11))
            // Not from the first run on, which may be late: the rate counts when tasks are handed to the pool.
            #expect(begin.duration(to: try #require(journal.times.last)) > .milliseconds(199))
        }
    }

    @Test("the limit counts when the time of a task has come")
    func eta() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        try await WorkerHarness.run(Self.oneSlot) {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            for number in 0..<3 {
                try harness.send("proj.limited", [.int(number)], options: TaskOptions(countdown: .milliseconds(300)))
            }
            try await eventually("one runs, two wait for the rate") {
                harness.worker.statistics.rateLimited == 2 && journal.numbers.count == 1
            }
            harness.worker.setRateLimit(.perSecond(1_000), for: "proj.limited")
            try await eventually("all run") { Set(journal.numbers) == [0, 1, 2] }
            try await harness.queueIsEmpty()
        }
    }

    @Test("what has expired while it waited is discarded when its turn comes")
    func expiry() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        try await WorkerHarness.run {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            try harness.send("proj.limited", [0])
            var options = TaskOptions()
            options.expires = .after(.seconds(2))
            let id = try harness.send("proj.limited", [1], options: options)
            try await eventually("it waits") { harness.worker.statistics.rateLimited == 1 }
            try await Task.sleep(for: .milliseconds(2_050))
            try harness.send("proj.add", [1, 1])
            let result = try await harness.result(of: id)
            #expect(result.state == .revoked)
            #expect(result.result["exc_message"] == ["expired"])
            try await harness.queueIsEmpty()
            try await eventually("only the first one runs") { journal.numbers == [0] }
        }
    }

    @Test("limits come from the setting, and can be switched off altogether")
    func settings() async throws {
        let journal = Journal()
        var celery = CeleryConfiguration()
        celery.taskDefaultRateLimit = "1/h"
        try await WorkerHarness.run(celery: celery) {
            Self.register(&$0, journal, limit: nil)
        } _: { harness in
            for number in 0..<3 { try harness.send("proj.limited", [.int(number)]) }
            let ids = try (0..<5).map { try harness.send("proj.add", [.int($0), 1]) }
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            try await eventually("two wait") { harness.worker.statistics.rateLimited == 2 }
            try await eventually("one runs") { journal.numbers == [0] }
        }
        celery.workerDisableRateLimits = true
        try await WorkerHarness.run(celery: celery) {
            Self.register(&$0, journal, limit: nil)
        } _: { harness in
            for number in 1..<4 { try harness.send("proj.limited", [.int(number)]) }
            harness.worker.setRateLimit(try RateLimit("1/h"), for: "proj.limited")
            try await eventually("all run") { Set(journal.numbers) == [0, 1, 2, 3] }
            #expect(harness.worker.statistics.rateLimited == 0)
        }
    }

    @Test("a setting that is no rate is refused before the worker runs")
    func invalidSetting() throws {
        var celery = CeleryConfiguration()
        celery.taskDefaultRateLimit = "10/fortnight"
        let error = #expect(throws: CeleryError.self) {
            try WorkerHarness(Self.oneSlot, celery: celery, broker: InMemoryBroker()) { _ in }
        }
        #expect(error?.code == .invalidOption)
    }

    @Test("a shutdown gives back what waits")
    func shutdown() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        let broker = InMemoryBroker()
        try await WorkerHarness.run(broker: broker) {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            for number in 0..<20 { try harness.send("proj.limited", [.int(number)]) }
            try await eventually("one runs, the others wait") {
                harness.worker.statistics.rateLimited == 19 && journal.numbers == [0]
            }
        }
        #expect(broker.messages(in: "celery").count == 19)
        #expect(journal.numbers == [0])
    }

    @Test("what waits goes back before the broker would close the channel")
    func consumerTimeout() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        var celery = CeleryConfiguration()
        celery.workerConsumerTimeout = .seconds(1)
        try await WorkerHarness.run(celery: celery) {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            for number in 0..<3 { try harness.send("proj.limited", [.int(number)]) }
            try await eventually("they went back") { harness.worker.statistics.handedBack >= 2 }
            harness.worker.setRateLimit(nil, for: "proj.limited")
            try await eventually("all run") { Set(journal.numbers) == [0, 1, 2] }
            try await harness.queueIsEmpty()
            #expect(journal.numbers.count == 3)
        }
    }

    @Test("what waits comes again after a lost connection, and runs once")
    func connectionLoss() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        try await WorkerHarness.run {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            for number in 0..<10 { try harness.send("proj.limited", [.int(number)]) }
            try await eventually("one runs, the others wait") {
                harness.worker.statistics.rateLimited == 9 && journal.numbers == [0]
                    && harness.broker.unackedCount(of: "celery") == 9
            }
            harness.broker.failConnections()
            try await eventually("they wait again") { harness.worker.statistics.rateLimited == 18 }
            harness.worker.setRateLimit(nil, for: "proj.limited")
            try await eventually("all run") { Set(journal.numbers) == Set(0..<10) }
            try await harness.queueIsEmpty()
            #expect(journal.numbers.count == 10)
        }
    }

    @Test("no more are fetched than may wait, which is told once")
    func bound() async throws {
        let journal = Journal()
        let limit = try RateLimit("1/h")
        var celery = CeleryConfiguration()
        celery.workerETATaskLimit = 10
        try await WorkerHarness.run(Self.oneSlot, celery: celery) {
            Self.register(&$0, journal, limit: limit)
        } _: { harness in
            for number in 0..<100 { try harness.send("proj.limited", [.int(number)]) }
            try await eventually("the line") {
                harness.logs.messages.contains { $0.contains("rate limits as a worker") }
            }
            try await Task.sleep(for: .milliseconds(50))
            #expect(harness.worker.statistics.rateLimited <= 13)
            #expect(harness.logs.messages.filter { $0.contains("rate limits as a worker") }.count == 1)
            harness.worker.setRateLimit(nil, for: "proj.limited")
            try await eventually("all run") { journal.numbers == Array(0..<100) }
        }
    }

    @Test("the limit of a task that is not there cannot be changed")
    func unknown() async throws {
        try await WorkerHarness.run {
            Self.register(&$0, Journal(), limit: nil)
        } _: { harness in
            #expect(!harness.worker.setRateLimit(.perSecond(1), for: "proj.unknown"))
            #expect(harness.worker.rateLimit(of: "proj.unknown") == nil)
            let limit = try RateLimit("5/m")
            #expect(harness.worker.setRateLimit(limit, for: "proj.limited"))
            #expect(harness.worker.rateLimit(of: "proj.limited")?.description == "5/m")
            #expect(harness.logs.messages.contains("New rate limit for tasks of type proj.limited: 5/m."))
        }
    }
}
