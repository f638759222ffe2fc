import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import CeleryWorker

@Suite("Worker: delay ladder")
struct WorkerDelayLadderTests {
    private static let entrance = "celery_delayed_27"
    private static let exit = "celery_delayed_delivery"

    private var quorum: CeleryConfiguration {
        var celery = CeleryConfiguration()
        celery.taskDefaultQueueType = .quorum
        celery.taskDefaultExchangeType = "topic"
        return celery
    }

    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.one") { (context: TaskContext) -> Int in 1 }
    }

    @Test("with quorum queues it is there before the worker is ready, and leads to its queues, on every broker")
    func declared() async throws {
        try await WorkerHarness.run(celery: quorum, register: Self.register) { harness in
            for round in 1...2 {
                #expect(harness.broker.declaration(ofExchange: Self.entrance)?.type == "topic")
                #expect(harness.broker.declaration(ofQueue: Self.entrance)?.arguments["x-queue-type"] == "quorum")
                #expect(harness.broker.isBound("celery", to: "celery", routingKey: "#.celery"))
                guard round == 1 else { break }
                harness.broker.deleteExchange(Self.entrance)
                harness.broker.failConnections()
                try await eventually("it is there again") {
                    harness.broker.declaration(ofExchange: Self.entrance) != nil
                }
            }
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
        }
    }

    @Test("without quorum queues there is none")
    func absent() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            #expect(harness.broker.declaration(ofExchange: Self.entrance) == nil)
            #expect(harness.broker.declaration(ofExchange: Self.exit) == nil)
        }
    }

    @Test("where it cannot be declared, the worker warns and holds tasks for later itself")
    func forbidden() async throws {
        let broker = InMemoryBroker()
        broker.protectedNames = [Self.entrance]
        try await WorkerHarness.run(celery: quorum, broker: broker, register: Self.register) { harness in
            #expect(
                harness.logs.lines.contains { $0.level == "warning" && $0.message.contains("delay ladder cannot") }
            )
            let id = try harness.send("proj.one")
            #expect(try await harness.result(of: id).result == 1)
        }
    }
}
