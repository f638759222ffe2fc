import AMQP
import CeleryProtocol
import CeleryTestKit
import Synchronization
import Testing

@testable import Celery
@testable import CeleryWorker

@Suite("EventDispatcher")
struct EventDispatcherTests {
    /// What the dispatcher wants to be run, when the test lets it.
    private final class Turns: Sendable {
        private let work = Mutex<[@Sendable () async -> Void]>([])

        var count: Int { work.withLock { $0.count } }

        func add(_ body: @escaping @Sendable () async -> Void) { work.withLock { $0.append(body) } }

        func run() async {
            let all = work.withLock { work in
                defer { work = [] }
                return work
            }
            for body in all { await body() }
        }
    }

    private let broker = EventHarness.broker()
    private let counters = WorkerCounters()
    private let turns = Turns()
    private let clock = LogicalClock()

    private func dispatcher(sendsTaskEvents: Bool, exchange: String = "celeryev") async throws -> EventDispatcher {
        var celery = CeleryConfiguration()
        celery.workerSendTaskEvents = sendsTaskEvents
        celery.eventExchange = exchange
        let publisher = SidePublisher(counters: counters, logger: LogRecorder().logger())
        let connection = try await broker.connect(.publish)
        let executor = ThreadExecutor(label: "test.events", maxThreads: 1, usualThreads: 1)
        Task { await publisher.serve(connection, executor: executor) }
        try await eventually("a channel") { publisher.isConnected }
        return EventDispatcher(
            celery,
            hostname: "w@h",
            clock: clock,
            publisher: publisher,
            counters: counters,
            spawn: { [turns] in turns.add($0) }
        )
    }

    private func messages(_ count: Int) async throws -> [OutgoingMessage] {
        try await eventually("\(count) messages") { broker.messages(in: EventHarness.queue).count >= count }
        return broker.takeMessages(from: EventHarness.queue)
    }

    private func started(_ events: EventDispatcher, _ number: Int) {
        events.sendTaskEvent("task-started") { EventWriter.put("uuid", .int(number), &$0) }
    }

    @Test("events of tasks wait for the next turn, and go out at once when they are 24")
    func batches() async throws {
        let events = try await dispatcher(sendsTaskEvents: true)
        for number in 1...50 { started(events, number) }
        let full = try await messages(2)
        #expect(turns.count == 1)
        await turns.run()
        let rest = try await messages(1)
        let batches = try (full + rest).map { try EventMessage.events($0.properties, body: $0.body) }
        #expect(batches.map(\.count) == [24, 24, 2])
        #expect(batches.flatMap { $0 }.map { $0.fields["uuid"] } == (1...50).map { JSONValue.int($0) })
        #expect(batches.flatMap { $0 }.map(\.clock) == Array(1...50))
        #expect((full + rest).allSatisfy { $0.routingKey == "task.multi" && $0.properties.deliveryMode == 1 })
        #expect(counters.sentEvents.count == 50)
        started(events, 51)
        #expect(turns.count == 1, "the next batch has a turn of its own")
        events.flush()
        #expect(try await messages(1).count == 1)
        await turns.run()
        #expect(broker.messages(in: EventHarness.queue).isEmpty)
    }

    @Test("without -E there are no events of tasks until they are enabled")
    func switches() async throws {
        let events = try await dispatcher(sendsTaskEvents: false)
        #expect(!events.isTaskEventsEnabled)
        started(events, 1)
        events.send("task-custom")
        events.send("worker-online")
        #expect(try await messages(1).map(\.routingKey) == ["worker.online"])
        #expect(!events.disableTaskEvents())
        #expect(events.enableTaskEvents())
        #expect(!events.enableTaskEvents())
        started(events, 2)
        await turns.run()
        #expect(try await messages(1).map(\.routingKey) == ["task.multi"])
        #expect(events.disableTaskEvents())
        started(events, 3)
        #expect(turns.count == 0)
        #expect(!events.isTaskEventsEnabled)
        #expect(counters.sentEvents.count == 2)
    }

    @Test("with -E everything is sent, and as with Celery that cannot be disabled")
    func everything() async throws {
        let events = try await dispatcher(sendsTaskEvents: true)
        #expect(!events.enableTaskEvents())
        #expect(!events.disableTaskEvents())
        #expect(events.isTaskEventsEnabled)
        events.send("my-own-event", fields: ["a": 1])
        let message = try #require(await messages(1).first)
        #expect(message.routingKey == "my.own.event")
    }

    @Test("a heartbeat that was asked for tells of the software alone")
    func heartbeat() async throws {
        let events = try await dispatcher(sendsTaskEvents: false)
        events.sendHeartbeat()
        let message = try #require(await messages(1).first)
        let event = try #require(EventMessage.events(message.properties, body: message.body).first)
        #expect(event.type == "worker-heartbeat")
        #expect(Array(event.fields.keys) == ["freq", "sw_ident", "sw_ver", "sw_sys"])
        #expect(event.fields["freq"] == 5)
        #expect(event.fields["sw_ident"] == "swcelery")
        #expect(event.fields["sw_ver"] == .string(PackageVersion.text))
    }

    @Test("reads the load of the machine")
    func load() {
        #expect(LoadAverage.parse("0.93 0.72 0.58 2/345 12075\n") == [0.93, 0.72, 0.58])
        #expect(LoadAverage.parse("") == [0, 0, 0])
        #expect(LoadAverage.now.count == 3)
    }
}
