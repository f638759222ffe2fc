import Synchronization
import Testing

@testable import AMQP

@Suite("Publishes that cannot go out are bounded", .timeLimit(.minutes(1)))
struct PublishBufferTests {
    /// A broker that blocks the connection, and lets it go on when told; counts the publishes that come.
    private final class BlockingBroker: Sendable {
        let published = Mutex<[WireFrame]>([])
        private let goesOn = Mutex(false)
        private let peer = Mutex<ScriptedPeer?>(nil)

        func connect(_ change: (inout ConnectionConfiguration) -> Void) async throws -> AMQPConnection {
            let peer = try ScriptedPeer { [weak self] socket in
                try socket.handshake()
                try socket.wait(for: 20, 10)
                try socket.send(.blocked("low on memory"))
                while let self, !self.goesOn.withLock({ $0 }) { try socket.pause(milliseconds: 10) }
                try socket.send(.method(10, 61))
                while true {
                    let frame = try socket.next()
                    if let method = frame.method, method == (60, 40) {
                        self?.published.withLock { $0.append(frame) }
                    }
                }
            }
            self.peer.withLock { $0 = peer }
            let connection = try await peer.connect { change(&$0) }
            return connection
        }

        func unblock() { goesOn.withLock { $0 = true } }

        var keys: [String] {
            published.withLock { frames in
                // Class, method, ticket, the empty exchange, then the routing key.
                frames.map { String(decoding: $0.payload[8..<(8 + Int($0.payload[7]))], as: UTF8.self) }
            }
        }
    }

    private func blockedChannel(
        _ broker: BlockingBroker,
        messages: Int,
        bytes: Int = 1 << 20
    ) async throws -> (AMQPConnection, AMQPChannel) {
        let connection = try await broker.connect {
            $0.publishBufferMessages = messages
            $0.publishBufferBytes = bytes
        }
        let channel = try await connection.openChannel()
        try await eventually { connection.isBlocked }
        return (connection, channel)
    }

    private func eventually(_ condition: () -> Bool) async throws {
        for _ in 0..<3000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        try #require(condition())
    }

    private func message(_ key: String, size: Int = 1) -> OutgoingMessage {
        OutgoingMessage(routingKey: key, body: [UInt8](repeating: 1, count: size))
    }

    @Test(arguments: [(3, 1 << 20, 1), (100, 3100, 1000)])
    func postsBeyondTheBoundFailAtOnce(_ messages: Int, _ bytes: Int, _ size: Int) async throws {
        let broker = BlockingBroker()
        let (connection, channel) = try await blockedChannel(broker, messages: messages, bytes: bytes)
        let results = Mutex<[Result<Void, AMQPError>]>([])
        for number in 0..<3 {
            channel.publish(message("\(number)", size: size)) { r in results.withLock { $0.append(r) } }
        }
        let refused = Mutex<AMQPError?>(nil)
        channel.publish(message("3", size: size)) { result in
            if case .failure(let error) = result { refused.withLock { $0 = error } }
        }
        #expect(refused.withLock { $0 }?.code == .bufferFull)
        #expect(results.withLock { $0.isEmpty })
        broker.unblock()
        try await eventually { results.withLock { $0.count } == 3 }
        #expect(results.withLock { $0.allSatisfy { (try? $0.get()) != nil } })
        try await channel.publish(message("4"))
        try await eventually { broker.keys == ["0", "1", "2", "4"] }
        await connection.close()
    }

    @Test func publishersWaitForRoomInTheirOrder() async throws {
        let broker = BlockingBroker()
        let (connection, channel) = try await blockedChannel(broker, messages: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 { group.addTask { try await channel.publish(message("\(number)")) } }
            try await Task.sleep(for: .milliseconds(100))
            broker.unblock()
            try await group.waitForAll()
        }
        try await eventually { broker.keys.count == 200 }
        #expect(Set(broker.keys) == Set((0..<200).map { "\($0)" }))
        await connection.close()
    }

    @Test func deadlineTakesAMessageBackThatWasNotSent() async throws {
        let broker = BlockingBroker()
        let (connection, channel) = try await blockedChannel(broker, messages: 1)
        // The first one has room and waits for the broker, the second one waits for room.
        for key in ["first", "second"] {
            let error = await #expect(throws: AMQPError.self) {
                try await channel.publish(message(key), deadline: .now + .milliseconds(100))
            }
            #expect(error?.code == .timeout)
            #expect(error?.message.contains("before the message was sent") == true)
        }
        broker.unblock()
        try await eventually { !connection.isBlocked }
        try await channel.publish(message("third"), deadline: .now + .seconds(60))
        try await eventually { broker.keys == ["third"] }
        await connection.close()
    }

    @Test func cancelledPublisherTakesItsMessageBack() async throws {
        let broker = BlockingBroker()
        let (connection, channel) = try await blockedChannel(broker, messages: 1)
        let waiting = ["first", "second"].map { key in
            Task { try await channel.publish(message(key)) }
        }
        try await Task.sleep(for: .milliseconds(100))
        for task in waiting {
            task.cancel()
            let error = await #expect(throws: AMQPError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
        broker.unblock()
        try await channel.publish(message("third"))
        try await eventually { broker.keys == ["third"] }
        await connection.close()
    }

    @Test func closedConnectionFailsThoseWhoWaitForRoom() async throws {
        let broker = BlockingBroker()
        let (connection, channel) = try await blockedChannel(broker, messages: 1)
        let waiting = (0..<20).map { number in Task { try await channel.publish(message("\(number)")) } }
        try await Task.sleep(for: .milliseconds(100))
        await connection.close()
        for task in waiting { await #expect(throws: AMQPError.self) { try await task.value } }
    }

    @Test func impossibleMessagesAreToldOfInTheirTurn() async throws {
        let broker = BlockingBroker()
        let connection = try await broker.connect { $0.maximumPublishSize = 10 }
        let channel = try await connection.openChannel()
        let large = await #expect(throws: AMQPError.self) { try await channel.publish(message("q", size: 11)) }
        #expect(large?.code == .messageTooLarge)
        let result = await withCheckedContinuation { continuation in
            channel.publish(message(String(repeating: "k", count: 256))) { continuation.resume(returning: $0) }
        }
        #expect(throws: AMQPError.self) { try result.get() }
        await connection.close()
    }
}
