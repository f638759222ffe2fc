import Testing

@testable import AMQP

/// STYLE point 15: librabbitmq before 0.14 decodes nested tables without a bound on its recursion.
@Suite("A deeply nested table does not end the process", .timeLimit(.minutes(1)))
struct DeepTableTests {
    /// The deepest that fit a frame of 128 KiB, and what lies about the limit.
    static let tooDeep = [
        WireFrame.nestedArrays(depth: 26_000), WireFrame.nestedTable(depth: 21_000),
        WireFrame.nestedTable(depth: 20_000),
        WireFrame.nestedTable(depth: MessageLimits.depthLimit + 1),
        WireFrame.nestedArrays(depth: MessageLimits.depthLimit + 1),
    ]

    /// 0.11 lets us skip the one message; newer versions refuse the frame, which ends the connection.
    @Test(arguments: tooDeep)
    func deliveryIsRefused(_ headers: [UInt8]) async throws {
        let (rejects, continuation) = AsyncStream.makeStream(of: WireFrame.self)
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 60, 20)
            try socket.send(.deliver(channel: 1, tag: "tag", 1))
            try socket.send(.header(channel: 1, bodySize: 3, headers: headers))
            try socket.send(WireFrame(.body, channel: 1, [1, 2, 3]))
            try socket.send(.deliver(channel: 1, tag: "tag", 2), .header(channel: 1, bodySize: 0))
            continuation.yield(try socket.wait(for: 60, 90))
            try socket.serve()
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        let event = try await firstEvent(of: channel)
        switch event {
        case .deliveries(let messages):
            #expect(messages.map(\.deliveryTag) == [2])
            #expect(connection.unreadableMessageCount == 1)
            var iterator = rejects.makeAsyncIterator()
            // Tag 1, without requeueing.
            #expect(await iterator.next()?.payload == [0, 60, 0, 90] + WireFrame.wire(UInt64(1)) + [0])
        case .closed(let error): #expect(error?.code == .protocolViolation)
        case .cancelled: Issue.record("the consumer was cancelled")
        }
        await connection.close()
    }

    private func firstEvent(of channel: AMQPChannel) async throws -> ConsumerEvent {
        let (events, continuation) = AsyncStream.makeStream(of: ConsumerEvent.self)
        try await channel.consume("q") { continuation.yield($0) }
        var iterator = events.makeAsyncIterator()
        return try #require(await iterator.next())
    }

    @Test func deepestAllowedDeliveryIsRead() async throws {
        let headers = WireFrame.nestedTable(depth: MessageLimits.depthLimit / 2)
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 60, 20)
            try socket.send(.deliver(channel: 1, tag: "tag", 1))
            try socket.send(.header(channel: 1, bodySize: 0, headers: headers))
            try socket.serve()
        }
        let connection = try await peer.connect()
        let event = try await firstEvent(of: connection.openChannel())
        guard case .deliveries(let messages) = event, var table = messages.first?.properties.headers else {
            Issue.record("no delivery: \(event)")
            return
        }
        var depth = 0
        while case .table(let inner) = table.fields.first?.value {
            table = inner
            depth += 1
        }
        #expect(depth == MessageLimits.depthLimit / 2)
        await connection.close()
    }

    @Test(arguments: tooDeep)
    func codecRefuses(_ headers: [UInt8]) {
        let frame = WireFrame.header(channel: 1, bodySize: 0, headers: headers)
        let error = #expect(throws: AMQPError.self) { try ContentHeaderCodec.decode(frame.payload) }
        #expect(error?.code == .protocolViolation)
    }

    @Test(arguments: [0, 1, MessageLimits.depthLimit / 2])
    func codecReadsWhatIsAllowed(_ depth: Int) throws {
        for headers in [WireFrame.nestedTable(depth: depth), WireFrame.nestedArrays(depth: depth)] {
            let frame = WireFrame.header(channel: 1, bodySize: 0, headers: headers)
            #expect(try ContentHeaderCodec.decode(frame.payload).properties.headers != nil)
        }
    }

    @Test func stackHoldsTheDeepestTableOfAnyFrameSize() throws {
        var configuration = try ConnectionConfiguration(uri: AMQPURI())
        for frameMax in [4096, 131_072, 1 << 20, Int(Int32.max)] {
            configuration.frameMax = frameMax
            let levels = configuration.offeredFrameMax / 5
            #expect(configuration.stackSize > levels * 240)
            #expect(configuration.stackSize <= 257 << 20)
        }
    }
}
