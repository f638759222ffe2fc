import AMQP
import CeleryTestKit
import Logging
import Testing

@testable import Celery

@Suite("Declaring queues", .timeLimit(.minutes(1)))
struct TopologyDeclarerTests {
    private static let queue = Queue(
        "q",
        exchange: ExchangeDeclaration(name: "x", type: "topic"),
        routingKey: "jobs.#",
        arguments: ["x-queue-type": "quorum"]
    )

    private let broker = InMemoryBroker()
    private let log = LogRecorder()
    private let memory = TopologyMemory()

    private func declarer() async throws -> TopologyDeclarer {
        TopologyDeclarer(connection: try await broker.connect(.publish), logger: log.logger(), memory: memory)
    }

    private var warnings: [LogRecorder.Line] { log.lines.filter { $0.level == "warning" } }

    @Test func everythingIsMadeThatIsMissing() async throws {
        try await declarer().declare(Self.queue)
        #expect(broker.declaration(ofQueue: "q") == Self.queue.declaration)
        #expect(broker.declaration(ofExchange: "x") == Self.queue.exchange)
        #expect(broker.isBound("q", to: "x", routingKey: "jobs.#"))
        try await declarer().declare(Self.queue)
        #expect(log.lines.isEmpty)
    }

    @Test func aQueueWithOtherArgumentsIsAdoptedWithOneWarning() async throws {
        broker.declareQueue(QueueDeclaration(name: "q", arguments: ["x-max-length": 5]))
        for _ in 0..<3 { try await declarer().declare(Self.queue) }
        #expect(broker.declaration(ofQueue: "q")?.arguments == ["x-max-length": 5])
        #expect(broker.isBound("q", to: "x", routingKey: "jobs.#"))
        #expect(warnings.count == 1)
        #expect(warnings.first?.message == "queue exists with other arguments and is used as it is")
        #expect(warnings.first?.metadata["queue"] == "q")
        #expect(warnings.first?.metadata["difference"]?.description.contains("x-max-length") == true)
    }

    @Test func aQueueThatHasToBeExactIsNotAdopted() async throws {
        broker.declareQueue(QueueDeclaration(name: "q", arguments: ["x-max-length": 5]))
        let declarer = try await declarer()
        for _ in 0..<2 {
            let error = await #expect(throws: CeleryError.self) { try await declarer.declareExactly(Self.queue) }
            #expect(error?.code == .topology)
            #expect(error?.description.contains("inequivalent arg 'x-max-length'") == true)
        }
        #expect(!memory.isAsWanted(Self.queue.declaration))
        broker.deleteQueue("q")
        for _ in 0..<2 { try await declarer.declareExactly(Self.queue) }
        #expect(broker.declaration(ofQueue: "q") == Self.queue.declaration)
        #expect(memory.isAsWanted(Self.queue.declaration))
        #expect(warnings.isEmpty)
        // Whoever may not declare it cannot tell: it is used.
        broker.protectedNames = ["q"]
        try await declarer.declareExactly(Self.queue)
    }

    @Test func anExchangeOfAnotherTypeIsAdopted() async throws {
        broker.declareExchange(ExchangeDeclaration(name: "x", type: "fanout"))
        try await declarer().declare(Self.queue)
        #expect(broker.declaration(ofExchange: "x")?.type == "fanout")
        #expect(broker.isBound("q", to: "x", routingKey: "jobs.#"))
        #expect(warnings.map(\.message) == ["exchange exists with other arguments and is used as it is"])
    }

    @Test func whatMayNotBeDeclaredIsUsedWhereItExists() async throws {
        broker.declareExchange(ExchangeDeclaration(name: "x", type: "topic"))
        broker.declareQueue(QueueDeclaration(name: "q"), boundTo: "x", routingKey: "jobs.#")
        broker.protectedNames = ["q", "x"]
        for _ in 0..<2 { try await declarer().declare(Self.queue) }
        #expect(warnings.map(\.message) == ["a binding is not permitted; only bindings that are there will route"])
        broker.protectedNames = ["other"]
        let error = await #expect(throws: CeleryError.self) { try await declarer().declare("other") }
        #expect(error?.code == .topology)
    }

    @Test func aQueueThatVanishedIsMadeAgain() async throws {
        let first = try await declarer()
        try await first.declare(Self.queue)
        broker.deleteQueue("q")
        try await first.declare(Self.queue)
        #expect(broker.declaration(ofQueue: "q") == nil)
        first.forget(Self.queue)
        try await first.declare(Self.queue)
        #expect(broker.declaration(ofQueue: "q") != nil)
        broker.deleteQueue("q")
        try await declarer().declare(Self.queue)
        #expect(broker.isBound("q", to: "x", routingKey: "jobs.#"))
    }

    @Test func anUnknownTypeOfExchangeEndsOneConnectionOnly() async throws {
        let queue = Queue("q", exchange: ExchangeDeclaration(name: "x", type: "x-unknown"), routingKey: "k")
        for _ in 0..<3 {
            let error = await #expect(throws: CeleryError.self) { try await declarer().declare(queue) }
            #expect(error?.code == .topology)
        }
        let survivor = try await declarer()
        await #expect(throws: CeleryError.self) { try await survivor.declare(queue) }
        try await survivor.declare("other")
    }

    @Test func aQueueThatIsTakenAsItIsIsNotAskedFor() async throws {
        var queue = Self.queue
        queue.noDeclare = true
        try await declarer().declare(queue)
        #expect(broker.queueNames.isEmpty)
    }
}
