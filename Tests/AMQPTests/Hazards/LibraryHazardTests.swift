import Glibc
import Logging
import Synchronization
import Testing

@testable import AMQP

/// STYLE section 6: what librabbitmq does to those who use it naively, each point by its number.
@Suite("librabbitmq's hazards", .timeLimit(.minutes(2)))
struct LibraryHazardTests {
    private final class Events: Sendable {
        let all = Mutex<[ConsumerEvent]>([])
        var handler: ConsumerEventHandler { { event in self.all.withLock { $0.append(event) } } }
        var tags: [UInt64] {
            all.withLock { events in
                var tags: [UInt64] = []
                for case .deliveries(let batch) in events { tags += batch.map(\.deliveryTag) }
                return tags
            }
        }
    }

    private func eventually(_ condition: () -> Bool) async throws {
        for _ in 0..<3000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
        try #require(condition())
    }

    /// Point 6: `amqp_simple_rpc` waits without a limit, or closes the socket when its limit passes.
    @Test func point6UnansweredRequestEndsInTimeAndTellsEverybody() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 20, 10)
            socket.beSilent()
        }
        let connection = try await peer.connect { $0.requestTimeout = .seconds(1) }
        let channel = try await connection.openChannel()
        let start = ContinuousClock.now
        let error = await #expect(throws: AMQPError.self) {
            try await channel.declareQueue(QueueDeclaration(name: "q"))
        }
        #expect(error?.code == .timeout)
        #expect(start.duration(to: .now) < .seconds(20))
        #expect(await connection.waitUntilClosed()?.code == .timeout)
    }

    /// Point 7: `amqp_consume_message` waits without a limit for header and body once it has a deliver method, and takes
    /// any other method in between for an error.
    @Test func point7DeliveryWithoutABodyHoldsNobodyUp() async throws {
        let mayGoOn = Mutex(false)
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 60, 20)
            try socket.send(.deliver(channel: 1, tag: "tag", 1), .header(channel: 1, bodySize: 4))
            try socket.send(WireFrame(.body, channel: 1, [1, 2]), .blocked("r"), .heartbeat, .method(10, 61))
            // Channel 2 is opened and used while channel 1's message is incomplete.
            try socket.wait(for: 50, 10)
            while !mayGoOn.withLock({ $0 }) { try socket.pause(milliseconds: 10) }
            try socket.send(WireFrame(.body, channel: 1, [3, 4]))
            try socket.serve()
        }
        let connection = try await peer.connect()
        let events = Events()
        try await connection.openChannel().consume("q", onEvent: events.handler)
        let other = try await connection.openChannel()
        #expect(try await other.declareQueue(QueueDeclaration(name: "q")).name == "q")
        #expect(events.tags.isEmpty)
        mayGoOn.withLock { $0 = true }
        try await eventually { events.tags == [1] }
        await connection.close()
    }

    /// Point 8: heartbeats are sent only within publishes and waits for frames.
    @Test func point8HeartbeatsGoOutWhileNothingElseDoes() async throws {
        let beats = Mutex(0)
        let peer = try ScriptedPeer { socket in
            try socket.handshake(heartbeat: 1)
            try DetachedThread.start(name: "beats") {
                while (try? socket.send(.heartbeat)) != nil, (try? socket.pause(milliseconds: 500)) != nil {}
            }
            while true {
                if try socket.readFrame() == .heartbeat { beats.withLock { $0 += 1 } }
            }
        }
        let connection = try await peer.connect(heartbeat: .seconds(1))
        try await Task.sleep(for: .seconds(4))
        #expect(!connection.isClosed)
        #expect(beats.withLock { $0 } >= 2)
        await connection.close()
    }

    /// Point 9: capabilities have to be told, or the broker neither says that it blocks nor that it cancels.
    @Test func point9CapabilitiesAreTold() async throws {
        let startOK = Mutex<[UInt8]>([])
        let peer = try ScriptedPeer { socket in
            try socket.greet()
            try socket.send(
                .method(10, 10, [0, 9], WireFrame.wire(UInt32(0)), WireFrame.long("PLAIN"), WireFrame.long("en_US"))
            )
            let frame = try socket.readFrame()
            startOK.withLock { $0 = frame.payload }
        }
        await #expect(throws: AMQPError.self) { _ = try await peer.connect() }
        let payload = startOK.withLock { $0 }
        for name in ["connection.blocked", "consumer_cancel_notify", "basic.nack", "publisher_confirms"] {
            let entry = WireFrame.short(name) + [UInt8(ascii: "t"), 1]
            #expect(payload.firstRange(of: entry) != nil, "\(name)")
        }
    }

    /// Point 10: the client itself has to answer the broker's closes.
    @Test func point10ClosesAreAnswered() async throws {
        let answers = Mutex<[String]>([])
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 20, 10)
            let reason = WireFrame.wire(UInt16(404)) + WireFrame.short("NOT_FOUND") + [0, 0, 0, 0]
            try socket.send(.method(20, 40, channel: 1, reason))
            try socket.wait(for: 20, 41)
            answers.withLock { $0.append("channel") }
            let stop = WireFrame.wire(UInt16(320)) + WireFrame.short("CONNECTION_FORCED") + [0, 0, 0, 0]
            try socket.send(.method(10, 50, stop))
            try socket.wait(for: 10, 51)
            answers.withLock { $0.append("connection") }
            socket.beSilent()
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        #expect(await channel.waitUntilClosed()?.replyCode == 404)
        #expect(await connection.waitUntilClosed()?.replyCode == 320)
        try await eventually { answers.withLock { $0 } == ["channel", "connection"] }
    }

    /// Point 11: without the release of its buffers librabbitmq's memory grows with what comes in.
    @Test(.disabled(if: Self.keepsFreedMemory, "a sanitizer keeps what was freed, and much of its own"))
    func point11MemoryDoesNotGrowWithWhatComesIn() async throws {
        let (count, size) = (20_000, 20_000)
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 60, 20)
            let body = WireFrame(.body, channel: 1, [UInt8](repeating: 5, count: size)).bytes
            for tag in 1...count {
                let head = WireFrame.deliver(channel: 1, tag: "tag", UInt64(tag)).bytes
                let headers: [UInt8] = WireFrame.nestedTable(depth: 3)
                let header = WireFrame.header(channel: 1, bodySize: size, headers: headers).bytes
                try socket.write(head + header + body)
            }
            try socket.serve()
        }
        let connection = try await peer.connect()
        let seen = Atomic<Int>(0)
        let before = try residentBytes()
        let options = ConsumeOptions(noAck: true)
        try await connection.openChannel().consume("q", options: options) { event in
            if case .deliveries(let batch) = event { seen.add(batch.count, ordering: .relaxed) }
        }
        try await eventually { seen.load(ordering: .relaxed) == count }
        // Other tests run beside this one; what is kept would be all that came in.
        #expect(try residentBytes() - before < count * size / 4 * 3)
        await connection.close()
    }

    private static var keepsFreedMemory: Bool {
        dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
    }

    private func residentBytes() throws -> Int {
        let file = try #require(fopen("/proc/self/statm", "r"))
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 200)
        try #require(fgets(&buffer, 200, file) != nil)
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) }) * Int(getpagesize())
    }

    /// Point 12: what a table points to has to live until it is written.
    @Test func point12OutgoingTablesOutliveTheirTemporaries() async throws {
        let headers = Mutex<[[UInt8]]>([])
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            while true {
                let frame = try socket.readFrame()
                if frame.kind == WireFrame.Kind.header.rawValue { headers.withLock { $0.append(frame.payload) } }
                if let method = frame.method, method == (20, 10) {
                    try socket.send(.method(20, 11, channel: frame.channel, WireFrame.wire(UInt32(0))))
                }
            }
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        func properties(_ number: Int) -> BasicProperties {
            var properties = BasicProperties()
            let inner: FieldTable = [
                "n": .string("value \(number)"), "list": .array([.string("x\(number)"), .table([:])]),
            ]
            properties.headers = FieldTable((0..<20).map { .init("key \(number).\($0)", .table(inner)) })
            properties.correlationID = "id \(number)"
            return properties
        }
        for number in 0..<200 {
            let message = OutgoingMessage(routingKey: "q", properties: properties(number), body: [1])
            try await channel.publish(message)
        }
        try await eventually { headers.withLock { $0.count } == 200 }
        for (number, payload) in headers.withLock({ $0 }).enumerated() {
            #expect(try ContentHeaderCodec.encode(properties(number), bodySize: 1) == payload)
        }
        await connection.close()
    }

    /// Point 13: misuse of a handle aborts the process, so no call may reach one that is not ready or has ended.
    @Test(arguments: 0..<5)
    func point13NoEndOfAHandshakeAborts(_ stage: Int) async throws {
        let peer = try ScriptedPeer { socket in
            if stage > 0 { try socket.greet() }
            if stage > 1 { try socket.start(mechanisms: stage == 2 ? "GSSAPI" : "PLAIN") }
            if stage > 3 { try socket.send(.method(10, 50, [0, 0], [0], [0, 0, 0, 0])) }
        }
        await #expect(throws: AMQPError.self) { _ = try await peer.connect { $0.connectTimeout = .seconds(2) } }
    }

    @Test func point13CallsAfterTheEndAreErrors() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 20, 10)
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        #expect(await connection.waitUntilClosed()?.code == .connectionClosed)
        await #expect(throws: AMQPError.self) { _ = try await connection.openChannel() }
        await #expect(throws: AMQPError.self) { try await channel.declareQueue(QueueDeclaration(name: "q")) }
        await #expect(throws: AMQPError.self) { try await channel.publish(OutgoingMessage(routingKey: "q", body: [])) }
        channel.settle(1, .ack)
        try await eventually { connection.staleSettlementCount == 1 }
        await channel.close()
        await connection.close()
    }

    /// Point 14: children must not inherit the socket.
    @Test func point14SocketsCloseOnExec() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.serve()
        }
        let connection = try await peer.connect()
        var found = 0
        for descriptor in 0..<Int32(1024) where Self.remotePort(descriptor) == peer.port {
            found += 1
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        }
        // librabbitmq's, and the guard's duplicate.
        #expect(found == 2)
        await connection.close()
        #expect((0..<Int32(1024)).allSatisfy { Self.remotePort($0) != peer.port })
    }

    private static func remotePort(_ descriptor: Int32) -> Int? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        return status == 0 && address.sin_family == sa_family_t(AF_INET)
            ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }

    /// Point 14: a write to a peer that is gone must not end the process by SIGPIPE.
    @Test func point14WritesToAClosedPeerAreErrors() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 20, 10)
            try socket.wait(for: 60, 40)
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        let error = await #expect(throws: AMQPError.self) {
            while true {
                try await channel.publish(OutgoingMessage(routingKey: "q", body: [UInt8](repeating: 1, count: 100_000)))
            }
        }
        #expect(error?.code == .connectionClosed)
    }

    /// Point 16: an ack that comes later than the broker's consumer timeout costs the channel, with all its deliveries.
    @Test func point16ConsumerTimeoutEndsTheChannelAlone() async throws {
        let text = "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 1000 ms"
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 60, 20)
            for tag in 1...3 {
                try socket.send(.deliver(channel: 1, tag: "tag", UInt64(tag)), .header(channel: 1, bodySize: 0))
            }
            let reason = WireFrame.wire(UInt16(406)) + WireFrame.short(text) + [0, 0, 0, 0]
            try socket.send(.method(20, 40, channel: 1, reason))
            try socket.serve()
        }
        let connection = try await peer.connect()
        let events = Events()
        let channel = try await connection.openChannel()
        try await channel.consume("q", onEvent: events.handler)
        let error = await channel.waitUntilClosed()
        #expect(error?.replyCode == 406)
        #expect(error?.message == text)
        #expect(events.tags == [1, 2, 3])
        guard case .closed(let told)? = events.all.withLock({ $0.last }) else {
            Issue.record("the consumer was not told")
            return
        }
        #expect(told?.replyCode == 406)
        // A settlement that comes now must not reach the channel that gets the number next.
        let next = try await connection.openChannel()
        #expect(next.number == channel.number)
        channel.settle(2, .ack)
        try await eventually { connection.staleSettlementCount == 1 }
        #expect(try await next.declareQueue(QueueDeclaration(name: "q")).name == "q")
        await connection.close()
    }
}
