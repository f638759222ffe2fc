import Testing

@testable import AMQP

/// STYLE points 5, 8 and 9: a peer that is gone without a word is noticed within two heartbeats, whatever this side does.
@Suite("A half-open connection is noticed", .timeLimit(.minutes(2)))
struct SilentPeerTests {
    /// The interval that the scripted broker asks for, and what a busy machine may add to two of them.
    private static let heartbeat = Duration.seconds(2)
    private static let slack = Duration.seconds(3)

    private func expectEnd(of connection: AMQPConnection, since start: ContinuousClock.Instant) async {
        let error = await connection.waitUntilClosed()
        let elapsed = start.duration(to: .now)
        #expect(error?.code == .heartbeatTimeout)
        #expect(elapsed >= Self.heartbeat)
        #expect(elapsed < Self.heartbeat * 2 + Self.slack, "noticed after \(elapsed)")
    }

    @Test func silentPeerIsNoticedWhileIdle() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 2)
            try socket.wait(for: 20, 10)
            socket.beSilent()
        }
        let connection = try await peer.connect(heartbeat: Self.heartbeat)
        _ = try await connection.openChannel()
        await expectEnd(of: connection, since: .now)
    }

    /// Point 5: librabbitmq 0.11 to 0.13 begin a read without limit in `amqp_basic_publish` here.
    @Test func silentPeerThatReadsIsNoticedWhilePublishing() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 2)
            try socket.wait(for: 20, 10)
            try socket.swallow()
        }
        let connection = try await peer.connect(heartbeat: Self.heartbeat)
        let channel = try await connection.openChannel()
        let start = ContinuousClock.now
        let publishing = Task {
            while !Task.isCancelled {
                try await channel.publish(OutgoingMessage(routingKey: "q", body: [1]))
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        await expectEnd(of: connection, since: start)
        let error = await #expect(throws: AMQPError.self) { try await publishing.value }
        #expect(error?.code == .heartbeatTimeout)
    }

    /// Point 5 by itself: the window has passed when the publish comes, and no frame was taken in meanwhile.
    @Test func publishAfterTheWindowDoesNotHang() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 1)
            try socket.wait(for: 20, 10)
            try socket.swallow()
        }
        let connection = try await peer.connect(heartbeat: .seconds(1))
        let channel = try await connection.openChannel()
        let start = ContinuousClock.now
        await connection.holdThreadAndPublish(on: channel)
        #expect(await connection.waitUntilClosed()?.code == .heartbeatTimeout)
        #expect(start.duration(to: .now) < .seconds(10))
    }

    /// Point 9: the socket is full, and writes of librabbitmq's have no limit of time.
    @Test func peerThatReadsNothingIsNoticedWhileTheSocketIsFull() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 2)
            try socket.wait(for: 20, 10)
            socket.beSilent()
        }
        let connection = try await peer.connect(heartbeat: Self.heartbeat)
        let channel = try await connection.openChannel()
        let start = ContinuousClock.now
        async let error = fill(channel)
        await expectEnd(of: connection, since: start)
        #expect(await error?.code == .heartbeatTimeout)
    }

    @Test func fullSocketEndsWithoutHeartbeatsToo() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 0)
            try socket.wait(for: 20, 10)
            socket.beSilent()
        }
        let connection = try await peer.connect { $0.requestTimeout = .seconds(3) }
        let channel = try await connection.openChannel()
        #expect(await fill(channel)?.code == .timeout)
        #expect(await connection.waitUntilClosed()?.code == .timeout)
    }

    @Test func closingDoesNotWaitForAFullSocket() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 0)
            try socket.wait(for: 20, 10)
            socket.beSilent()
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        async let error = fill(channel)
        try await Task.sleep(for: .milliseconds(500))
        let start = ContinuousClock.now
        await connection.close()
        #expect(start.duration(to: .now) < .seconds(15))
        #expect(await error != nil)
    }

    /// A peer that only sends its heartbeats, as a broker under a resource alarm does, is not taken for a dead one.
    @Test func slowPeerThatBeatsIsKept() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 3)
            try socket.wait(for: 20, 10)
            for _ in 0..<18 {
                try socket.send(.heartbeat)
                try socket.pause(milliseconds: 500)
            }
            try socket.serveWithHeartbeats()
        }
        let connection = try await peer.connect(heartbeat: .seconds(3))
        let channel = try await connection.openChannel()
        // Heartbeats that librabbitmq reads while it writes come out of it as frames.
        #expect(await fill(channel) == nil)
        #expect(!connection.isClosed)
        await connection.close()
    }

    /// Publishes until nothing fits any more; answers the error of the last publish.
    private func fill(_ channel: AMQPChannel) async -> AMQPError? {
        do throws(AMQPError) {
            for _ in 0..<4 {
                try await channel.publish(
                    OutgoingMessage(routingKey: "q", body: [UInt8](repeating: 7, count: 8_000_000))
                )
            }
            return nil
        } catch {
            return error
        }
    }
}

extension AMQPConnection {
    /// Keeps the thread from reading until the heartbeats' window has passed, then publishes in the same turn.
    fileprivate func holdThreadAndPublish(on channel: AMQPChannel) async {
        let end = ContinuousClock.now + .milliseconds(2200)
        while ContinuousClock.now < end {}
        channel.publish(OutgoingMessage(routingKey: "q", body: [1])) { _ in }
        // What was posted before a request goes out before it, in the same turn.
        _ = try? await channel.declareQueue(QueueDeclaration(name: "q"))
    }
}
