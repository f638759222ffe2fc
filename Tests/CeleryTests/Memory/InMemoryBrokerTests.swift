import AMQP
import CeleryTestKit
import Testing

@testable import Celery

@Suite("The broker in memory", .timeLimit(.minutes(1)))
struct InMemoryBrokerTests {
    @Test(arguments: BrokerConformance.checks)
    func conforms(_ check: BrokerConformance.Check) async throws {
        let broker = InMemoryBroker()
        try await check.run(broker)
        #expect(await eventually { broker.openConnectionCount == 0 })
    }

    @Test func failedConnectionsTellEverybody() async throws {
        let broker = InMemoryBroker()
        let connection = try await broker.connect(.consume)
        let channel = try await connection.openChannel(confirms: true)
        _ = try await channel.declareQueue(QueueDeclaration(name: "q"))
        broker.holdsConfirms = true
        let publishing = Task { try await channel.publish(OutgoingMessage(routingKey: "q", body: [])) }
        #expect(await eventually { broker.messages(in: "q").count == 1 })
        broker.failConnections()
        #expect(await connection.waitUntilClosed()?.code == .connectionClosed)
        #expect(await channel.waitUntilClosed()?.code == .connectionClosed)
        let error = await #expect(throws: AMQPError.self) { try await publishing.value }
        #expect(error?.code == .connectionClosed)
        // Messages of durable queues stay.
        #expect(broker.messages(in: "q").count == 1)
    }

    @Test func connectionsTellOfBeingBlocked() async throws {
        let broker = InMemoryBroker()
        let connection = try await broker.connect(.publish)
        let (states, continuation) = AsyncStream.makeStream(of: BlockedState.self)
        #expect(connection.onBlockedChange { continuation.yield($0) } == .unblocked)
        broker.isBlocked = true
        #expect(connection.blockedState.isBlocked)
        broker.isBlocked = false
        broker.isBlocked = true
        await connection.close()
        broker.isBlocked = false
        var seen: [Bool] = []
        for await state in states.prefix(4) { seen.append(state.isBlocked) }
        #expect(seen == [true, false, true, false])
    }

    @Test func waitingForTheEndCanBeCancelled() async throws {
        let broker = InMemoryBroker()
        let connection = try await broker.connect(.consume)
        let waiting = Task { await connection.waitUntilClosed() }
        await Task.yield()
        waiting.cancel()
        #expect(await waiting.value == nil)
        #expect(broker.openConnectionCount == 1)
        await connection.close()
    }

    @Test func aConnectionThatNobodyHoldsIsClosed() async throws {
        let broker = InMemoryBroker()
        do {
            let connection = try await broker.connect(.consume)
            let channel = try await connection.openChannel()
            _ = try await channel.declareQueue(QueueDeclaration(name: "q"))
            _ = try await channel.consume("q") { _ in }
        }
        #expect(await eventually { broker.openConnectionCount == 0 })
        #expect(broker.consumerCount(of: "q") == 0)
    }
}
