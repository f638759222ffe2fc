import AMQP
import Celery
import CeleryTestKit
import Testing

@testable import CeleryWorker

@Suite("DeliveryLedger")
struct DeliveryLedgerTests {
    private let broker = InMemoryBroker()
    private let counters = WorkerCounters()

    private func consume(_ count: Int) async throws -> (any BrokerChannel, [UInt64]) {
        broker.declareQueue(QueueDeclaration(name: "q"))
        let connection = try await broker.connect(.consume)
        let channel = try await connection.openChannel(confirms: false)
        var tags: [UInt64] = []
        for number in 0..<count {
            try broker.publish(OutgoingMessage(routingKey: "q", body: [UInt8(number)]))
            tags.append(try #require(try await channel.get("q", noAck: false)).deliveryTag)
        }
        return (channel, tags)
    }

    @Test("settles each delivery once")
    func settlesOnce() async throws {
        let ledger = DeliveryLedger(counters: counters)
        let (channel, tags) = try await consume(3)
        let epoch = ledger.open(channel)
        let ids = try #require(ledger.register(epoch, tags: tags))
        #expect(ledger.count == 3)

        ledger.settle(ids[0], .ack)
        ledger.settle(ids[0], .reject(requeue: true))
        #expect(ledger.acknowledgeStart(ids[1]))
        #expect(!ledger.acknowledgeStart(ids[1]))
        ledger.settle(ids[2], .reject(requeue: true))

        #expect(ledger.count == 0)
        #expect(broker.unackedCount(of: "q") == 0)
        #expect(broker.messages(in: "q").map(\.body) == [[2]])
        #expect(broker.staleSettlementCount == 0)
        #expect(counters.staleSettlements.count == 0)
    }

    @Test("counts settlements that come too late, and tells the broker nothing")
    func lateSettlement() async throws {
        let ledger = DeliveryLedger(counters: counters)
        let (channel, tags) = try await consume(2)
        let epoch = ledger.open(channel)
        let ids = try #require(ledger.register(epoch, tags: tags))
        ledger.close(epoch)

        #expect(ledger.register(epoch, tags: [9]) == nil)
        #expect(!ledger.isLive(ids[0]))
        ledger.settle(ids[0], .ack)
        #expect(!ledger.acknowledgeStart(ids[1]))
        #expect(counters.staleSettlements.count == 1)
        #expect(broker.unackedCount(of: "q") == 2)
        #expect(ledger.count == 0)
    }
}
