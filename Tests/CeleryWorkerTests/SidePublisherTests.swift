import AMQP
import Celery
import CeleryTestKit
import Testing

@testable import CeleryWorker

@Suite("SidePublisher")
struct SidePublisherTests {
    private let broker = InMemoryBroker()
    private let counters = WorkerCounters()
    private let logs = LogRecorder()
    private let executor = ThreadExecutor(label: "test.side", maxThreads: 1, usualThreads: 1)

    init() {
        broker.declareQueue(QueueDeclaration(name: "q", durable: false))
    }

    private func publisher(_ limits: SideQueue.Limits = SideQueue.Limits()) -> SidePublisher {
        SidePublisher(counters: counters, logger: logs.logger(), limits: limits)
    }

    private func post(_ number: UInt8, to queue: String = "q", exchange: String = "", on publisher: SidePublisher) {
        publisher.post(OutgoingMessage(exchange: exchange, routingKey: queue, body: [number]))
    }

    private var received: [UInt8] { broker.messages(in: "q").flatMap(\.body) }

    /// Serves a connection around the body.
    private func serving(_ publisher: SidePublisher, _ body: () async throws -> Void) async throws {
        let connection = try await broker.connect(.publish)
        let service = Task { await publisher.serve(connection, executor: executor) }
        defer { service.cancel() }
        try await eventually("a channel") { publisher.isConnected }
        try await body()
        service.cancel()
        await service.value
        #expect(!publisher.isConnected)
    }

    @Test("posts in order what waits, and what comes")
    func order() async throws {
        let publisher = publisher()
        for number in 1...100 { post(UInt8(number), on: publisher) }
        #expect(publisher.unfinishedCount == 100)
        #expect(await !publisher.waitUntilIdle(limit: .seconds(60)), "without a channel nobody waits")
        try await serving(publisher) {
            for number in 101...200 { post(UInt8(number), on: publisher) }
            #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
            try await eventually("all are there") { received == Array(1...200) }
        }
        #expect(counters.droppedEvents.count == 0)
    }

    @Test("drops the oldest messages that are too many, counts them and says so once")
    func drops() async throws {
        let publisher = publisher(SideQueue.Limits(messages: 3, bytes: 1000, window: 10))
        for number in 1...5 { post(UInt8(number), on: publisher) }
        #expect(publisher.unfinishedCount == 3)
        #expect(counters.droppedEvents.count == 2)
        publisher.post(OutgoingMessage(routingKey: "q", body: [UInt8](repeating: 9, count: 999)), events: 24)
        #expect(counters.droppedEvents.count == 4, "the bytes count, too")
        publisher.post(OutgoingMessage(routingKey: "q", body: [UInt8](repeating: 9, count: 1001)), events: 1)
        #expect(counters.droppedEvents.count == 4 + 1 + 24 + 1)
        #expect(logs.lines.count { $0.level == "warning" } == 1)
        #expect(publisher.unfinishedCount == 0)
    }

    @Test("a message that the broker refuses ends this channel only, and the next one opens")
    func reopens() async throws {
        let publisher = publisher()
        try await serving(publisher) {
            post(1, exchange: "missing", on: publisher)
            try await eventually("the channel's end") { logs.messages.contains { $0.contains("has ended") } }
            post(2, on: publisher)
            try await eventually("the next channel") { received == [2] }
        }
        #expect(broker.connectionCount == 1)
    }

    @Test("a message whose channel ended before it was written goes out on the next one")
    func again() async throws {
        let publisher = publisher()
        broker.isBlocked = true
        try await serving(publisher) {
            for number in 1...3 { post(UInt8(number), on: publisher) }
            broker.failConnections()
            broker.isBlocked = false
            try await eventually("the channel's end") { !publisher.isConnected }
        }
        #expect(publisher.unfinishedCount == 3)
        try await serving(publisher) {
            try await eventually("all are there") { received == [1, 2, 3] }
        }
    }

    @Test("a broker that takes nothing holds up nobody")
    func blocked() async throws {
        let publisher = publisher(SideQueue.Limits(messages: 5, bytes: 1000, window: 2))
        broker.isBlocked = true
        try await serving(publisher) {
            for number in 1...10 { post(UInt8(number), on: publisher) }
            #expect(publisher.unfinishedCount == 7, "two are under way, five wait")
            #expect(counters.droppedEvents.count == 3)
            #expect(await !publisher.waitUntilIdle(limit: .milliseconds(1)))
            broker.isBlocked = false
            try await eventually("the last ones") { received == [1, 2, 6, 7, 8, 9, 10] }
        }
    }

    @Test("exchanges are declared on each channel; one that is refused is left alone")
    func exchanges() async throws {
        let publisher = publisher()
        publisher.declare(ExchangeDeclaration(name: "protected", type: "topic"))
        publisher.declare(ExchangeDeclaration(name: "celeryev", type: "topic"))
        broker.declareExchange(ExchangeDeclaration(name: "protected", type: "topic"))
        broker.protectedNames = ["protected"]
        for _ in 1...2 {
            broker.deleteExchange("celeryev")
            try await serving(publisher) {
                #expect(broker.declaration(ofExchange: "celeryev")?.type == "topic")
                post(1, exchange: "celeryev", on: publisher)
                post(2, exchange: "protected", on: publisher)
                #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
                #expect(publisher.isConnected)
            }
        }
    }

    @Test("tells of each new connection, not of each channel")
    func connections() async throws {
        let publisher = publisher()
        let told = WorkerCounters.Counter()
        publisher.onConnect { told.add() }
        for round in 1...2 {
            try await serving(publisher) {
                try await eventually("word of it") { told.count == round }
                post(1, exchange: "missing", on: publisher)
                try await eventually("the channel's end") { !publisher.isConnected }
                try await eventually("the next channel") { publisher.isConnected }
                #expect(told.count == round)
            }
        }
    }

    @Test("takes nothing after its end")
    func closed() async throws {
        let publisher = publisher()
        post(1, on: publisher)
        publisher.close()
        post(2, on: publisher)
        #expect(publisher.unfinishedCount == 0)
        #expect(counters.droppedEvents.count == 2)
    }
}
