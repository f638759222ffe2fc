import AMQP
import CeleryTestKit
import Synchronization
import Testing

@testable import Celery

@Suite("Shared connection", .timeLimit(.minutes(2)))
struct SharedConnectionTests {
    /// A broker whose first connection does not come until a test lets it.
    private final class StallingBroker: Broker {
        let broker = InMemoryBroker()
        let release = Pending<Void>()
        private let connections = Atomic<Int>(0)

        func connect(_ role: BrokerRole) async throws(AMQPError) -> any BrokerConnection {
            if connections.wrappingAdd(1, ordering: .relaxed).oldValue == 0 { try? await release.value() }
            return try await broker.connect(role)
        }
    }

    private func shared(_ broker: any Broker, openLimit: Duration = .seconds(60)) -> SharedConnection<Int> {
        SharedConnection(broker: broker, role: .publish, openLimit: openLimit) { _, epoch in epoch }
    }

    @Test func aLostConnectionIsNoticedAndReplaced() async throws {
        let broker = InMemoryBroker()
        let shared = shared(broker)
        #expect(!shared.isOpen)
        #expect(try await shared.lease().epoch == 1)
        #expect(try await shared.lease().epoch == 1)
        broker.failConnections()
        #expect(await eventually { !shared.isOpen })
        #expect(try await shared.lease().session == 2)
        #expect(broker.openConnectionCount == 1)
        await shared.close()
        #expect(await eventually { broker.openConnectionCount == 0 })
        await #expect(throws: CeleryError.self) { try await shared.lease() }
    }

    @Test func nobodyWaitsForEver() async throws {
        let broker = StallingBroker()
        let shared = shared(broker, openLimit: .milliseconds(50))
        let other = Task { try await shared.lease() }
        let error = await #expect(throws: CeleryError.self) { try await shared.lease() }
        #expect(error?.code == .timeout)
        await #expect(throws: CeleryError.self) { try await other.value }
        #expect(!shared.isOpen)
        // The next one gets a connection, and the late one is closed.
        let lease = try await shared.lease()
        broker.release.settle(.success(()))
        #expect(await eventually { broker.broker.connectionCount == 2 })
        #expect(await eventually { broker.broker.openConnectionCount == 1 })
        #expect(try await shared.lease().epoch == lease.epoch)
        await shared.close()
    }

    @Test func whoeverWaitsIsToldOfTheEnd() async throws {
        let broker = StallingBroker()
        let shared = shared(broker)
        let waiting = Task { try await shared.lease() }
        try await Task.sleep(for: .milliseconds(20))
        await shared.close()
        await #expect(throws: CeleryError.self) { try await waiting.value }
        broker.release.settle(.success(()))
        #expect(await eventually { broker.broker.connectionCount == 1 && broker.broker.openConnectionCount == 0 })
    }

    @Test func aWaitingCallerCanBeCancelled() async throws {
        let broker = StallingBroker()
        let shared = shared(broker)
        let waiting = Task { try await shared.lease() }
        waiting.cancel()
        let error = await #expect(throws: CeleryError.self) { try await waiting.value }
        #expect(error?.code == .cancelled)
        broker.release.settle(.success(()))
        #expect(try await shared.lease().epoch == 1)
        await shared.close()
    }
}
