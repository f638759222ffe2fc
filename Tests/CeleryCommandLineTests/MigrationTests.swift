import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import Logging
import Synchronization
import Testing

@testable import CeleryCommandLine

/// Tasks that move between brokers.
@Suite struct MigrationTests {
    private let old = InMemoryBroker()
    private let new = InMemoryBroker()

    /// What a migration has told.
    private final class Told: Sendable {
        let lines = Mutex<[String]>([])
        let notes = Mutex<[String]>([])
        var report: MigrationReport {
            MigrationReport(
                isQuiet: false,
                line: { line in self.lines.withLock { $0.append(line) } },
                note: { note in self.notes.withLock { $0.append(note) } }
            )
        }
    }

    private func task(_ name: String, id: String) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = "application/json"
        properties.contentEncoding = "utf-8"
        properties.correlationID = id
        properties.replyTo = "replies"
        properties.priority = 3
        properties.expiration = "600000"
        properties.headers = ["task": .string(name), "id": .string(id), "retries": 1]
        return properties
    }

    private func put(_ count: Int, _ name: String = "proj.add", into queue: String = "celery") throws {
        old.declareQueue(QueueDeclaration(name: queue))
        for number in 0..<count {
            try old.publish(
                OutgoingMessage(
                    routingKey: queue,
                    properties: task(name, id: "\(name)-\(number)"),
                    body: Array("[[\(number)], {}, {}]".utf8)
                )
            )
        }
    }

    private func migrate(_ plan: Migration.Plan, _ told: Told = Told()) async throws -> MigrationReport {
        let report = told.report
        let source = try await old.connect(.client)
        let destination = try await new.connect(.publish)
        let result: Result<Void, any Error>
        do {
            try await Migration(
                plan: plan,
                sources: Migration.sources(plan, QueueTable(configuration: CeleryConfiguration())),
                report: report,
                source: source,
                destination: destination,
                declarer: TopologyDeclarer(
                    connection: destination,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                    memory: TopologyMemory()
                )
            ).run()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await source.close()
        await destination.close()
        try result.get()
        return report
    }

    @Test func movedTasksAreWhatTheyWere() async throws {
        try put(3)
        let before = old.messages(in: "celery")
        let told = Told()
        let report = try await migrate(.init(acknowledges: true, timeout: .zero), told)
        #expect(report.outcome?.confirmed == 3)
        #expect(old.messages(in: "celery").isEmpty)
        let after = new.messages(in: "celery")
        #expect(after.map(\.body) == before.map(\.body))
        #expect(after.map(\.properties) == before.map(\.properties))
        #expect(
            told.lines.withLock { $0 } == [
                "Migrating task 1/3: proj.add[proj.add-0]", "Migrating task 2/3: proj.add[proj.add-1]",
                "Migrating task 3/3: proj.add[proj.add-2]",
            ]
        )
        #expect(told.notes.withLock { $0 } == ["3 tasks moved."])
    }

    @Test func withoutAcknowledgementsTasksAreCopied() async throws {
        try put(2)
        _ = try await migrate(.init(timeout: .zero))
        #expect(new.messages(in: "celery").count == 2)
        #expect(old.messages(in: "celery").count == 2)
    }

    @Test func aLimitEndsItAndTheLastOneIsAcknowledgedToo() async throws {
        try put(5)
        let report = try await migrate(.init(limit: 2, acknowledges: true))
        #expect(report.outcome?.confirmed == 2)
        #expect(new.messages(in: "celery").count == 2)
        #expect(old.messages(in: "celery").count == 3)
    }

    @Test func onlyTheNamedTasksMove() async throws {
        try put(2, "proj.add")
        try put(2, "proj.mul")
        let report = try await migrate(.init(tasks: ["proj.mul"], acknowledges: true, timeout: .zero))
        #expect(report.outcome?.left == 2)
        #expect(new.messages(in: "celery").map { $0.properties.correlationID } == ["proj.mul-0", "proj.mul-1"])
        #expect(old.messages(in: "celery").map { $0.properties.correlationID } == ["proj.add-0", "proj.add-1"])
    }

    @Test func aQueueMayGetAnotherName() async throws {
        try put(1, into: "low")
        let queues = try QueueMap(parsing: "low:lower, absent")
        let told = Told()
        _ = try await migrate(.init(queues: queues, acknowledges: true, timeout: .zero), told)
        #expect(new.messages(in: "lower").map(\.routingKey) == ["lower"])
        #expect(told.notes.withLock { $0.first } == "The source has no queue 'absent'.")
    }

    /// The destination has no such exchange, or one that leads nowhere.
    @Test(arguments: [false, true])
    func aTaskThatNoQueueTakesStays(isThere: Bool) async throws {
        old.declareExchange(ExchangeDeclaration(name: "odd"))
        old.declareQueue(QueueDeclaration(name: "celery"), boundTo: "odd", routingKey: "way")
        try put(1)
        try old.publish(
            OutgoingMessage(exchange: "odd", routingKey: "way", properties: task("proj.add", id: "stray"), body: [])
        )
        if isThere { new.declareExchange(ExchangeDeclaration(name: "odd")) }
        let told = Told()
        let report = try await migrate(.init(acknowledges: true, timeout: .zero), told)
        #expect(report.outcome?.confirmed == 1 && report.outcome?.refused == 1)
        #expect(old.messages(in: "celery").map { $0.properties.correlationID } == ["stray"])
        #expect(told.notes.withLock { $0.first }?.hasPrefix("proj.add[stray] stays at the source: ") == true)
    }

    @Test func nothingIsLostWhereTheDestinationDies() async throws {
        try put(50)
        new.holdsConfirms = true
        let told = Told()
        let broker = new
        // Published, not confirmed: then the connection ends.
        let killer = Task {
            while broker.publishedCount < 50 { try await Task.sleep(for: .milliseconds(5)) }
            broker.failConnections()
        }
        await #expect(throws: (any Error).self) {
            _ = try await migrate(.init(acknowledges: true, timeout: .seconds(60)), told)
        }
        try await killer.value
        #expect(old.messages(in: "celery").count == 50)
        #expect(told.notes.withLock { $0.last }?.contains("sent without an answer") == true)
    }

    // MARK: Counting

    @Test func aMessageIsAcknowledgedAfterItsConfirmOnly() {
        var count = MigrationCount(limit: 2, tasks: ["a"], acknowledges: true)
        #expect(count.taken(task: "b") == .leave)
        #expect(count.taken(task: nil) == .leave)
        #expect(count.taken(task: "a") == .publish(number: 1))
        #expect(!count.isComplete)
        #expect(count.taken(task: "a") == .publish(number: 2))
        #expect(count.isComplete && count.unsettled == 2)
        #expect(count.answered(isConfirmed: true) == .acknowledge)
        #expect(count.answered(isConfirmed: false) == .keep)
        #expect(count.unsettled == 0 && count.left == 2 && count.refused == 1)
        var copying = MigrationCount(acknowledges: false)
        #expect(copying.taken(task: nil) == .publish(number: 1))
        #expect(copying.answered(isConfirmed: true) == .keep)
    }

    @Test(arguments: ["", "a:b:c", ":", "a:"])
    func otherListsOfQueuesAreRefused(text: String) {
        #expect(throws: OptionError.self) { try QueueMap(parsing: text) }
    }
}
