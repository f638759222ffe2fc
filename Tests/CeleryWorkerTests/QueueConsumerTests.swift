import AMQP
import Celery
import CeleryTestKit
import Testing

@testable import CeleryWorker

@Suite("QueueConsumer")
struct QueueConsumerTests {
    private let broker = InMemoryBroker()
    private let intake = Intake()

    private func consumer(credit: Int) async throws -> QueueConsumer {
        broker.declareQueue(QueueDeclaration(name: "q"))
        let counters = WorkerCounters()
        return QueueConsumer(
            DesiredConsumer(Queue("q"), credit: credit),
            channel: try await broker.connect(.consume).openChannel(confirms: false),
            sink: .intake(intake),
            ledger: DeliveryLedger(counters: counters),
            deliveries: counters.received,
            logger: LogRecorder().logger()
        )
    }

    @Test("a replacement takes over with fresh credit, and what the first one got stays valid")
    func replaces() async throws {
        let consumer = try await consumer(credit: 2)
        _ = try await consumer.start()
        for number in 0..<5 { try broker.publish(OutgoingMessage(routingKey: "q", body: [UInt8(number)])) }
        try await eventually("its credit is used up") { broker.unackedCount(of: "q") == 2 }
        await consumer.replace()
        try await eventually("the next one's, too") { broker.unackedCount(of: "q") == 4 }
        #expect(broker.consumerCount(of: "q") == 1)
        #expect(broker.messages(in: "q").count == 1)
        await consumer.close()
    }

    @Test("one that was stopped is not replaced: it fetches nothing more")
    func stopped() async throws {
        let consumer = try await consumer(credit: 2)
        _ = try await consumer.start()
        await consumer.stop()
        for number in 0..<5 { try broker.publish(OutgoingMessage(routingKey: "q", body: [UInt8(number)])) }
        await consumer.replace()
        #expect(broker.consumerCount(of: "q") == 0)
        #expect(broker.unackedCount(of: "q") == 0)
        #expect(broker.messages(in: "q").count == 5)
        var isTold = false
        for case .replaced(consumer.epoch, nil) in await intake.next() { isTold = true }
        #expect(isTold)
        await consumer.close()
    }
}
