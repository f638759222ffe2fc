import AMQP
import Foundation
import Testing

@Suite(
    "A connection that the broker has blocked",
    .enabled(
        if: BrokerEnvironment.control != nil,
        "needs a private RabbitMQ: Interop/broker.sh run swift test"
    ),
    .timeLimit(.minutes(2))
)
struct BlockedConnectionTests {
    private func limitMemory(to share: String) async throws {
        let control = try #require(BrokerEnvironment.control)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "\(control) set_vm_memory_high_watermark \(share) >/dev/null"]
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try #require(status == 0)
    }

    private func wait(until condition: () -> Bool) async throws {
        for _ in 0..<600 where !condition() { try await Task.sleep(for: .milliseconds(50)) }
        try #require(condition())
    }

    @Test func publishesWaitUntilTheBrokerTakesThemAgain() async throws {
        let connection = try await BrokerEnvironment.connect()
        let (states, continuation) = AsyncStream.makeStream(of: BlockedState.self)
        #expect(connection.onBlockedChange { continuation.yield($0) } == .unblocked)
        let channel = try await connection.openChannel(confirms: true)
        let queue = BrokerEnvironment.uniqueName("blocked")
        try await channel.declareQueue(QueueDeclaration(name: queue, exclusive: true))
        try await limitMemory(to: "0.000001")
        // The broker blocks a connection when it publishes.
        async let first: Void = channel.publish(OutgoingMessage(routingKey: queue, body: [1]))
        do {
            try await wait { connection.isBlocked }
        } catch {
            try await limitMemory(to: "0.4")
            throw error
        }
        async let second: Void = channel.publish(OutgoingMessage(routingKey: queue, body: [2]))
        try await limitMemory(to: "0.4")
        try await first
        try await second
        #expect(!connection.isBlocked)
        var changes = states.makeAsyncIterator()
        guard case .blocked(let reason) = await changes.next() else {
            Issue.record("the block was not told of")
            return
        }
        #expect(reason.contains("memory"))
        #expect(await changes.next() == .unblocked)
        #expect(try await channel.get(queue, noAck: true)?.body == [1])
        #expect(try await channel.get(queue, noAck: true)?.body == [2])
        await connection.close()
    }
}
