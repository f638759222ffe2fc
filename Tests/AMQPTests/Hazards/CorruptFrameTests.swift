import Testing

@testable import AMQP

/// What a faulty network or broker may send: the connection ends with a clear error, and the process lives.
@Suite("Corrupt frames end the connection and nothing else", .timeLimit(.minutes(1)))
struct CorruptFrameTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
    }

    private static func wrongEnd(_ frame: WireFrame) -> [UInt8] { frame.bytes.dropLast() + [0] }

    static let cases = [
        Case(testDescription: "a frame that does not end", bytes: wrongEnd(.heartbeat)),
        Case(testDescription: "a method without a number", bytes: WireFrame(.method, channel: 1, [0]).bytes),
        Case(testDescription: "an empty method", bytes: WireFrame(.method, channel: 1, []).bytes),
        Case(testDescription: "a short header", bytes: WireFrame(.header, channel: 1, [0, 60, 0, 0]).bytes),
        Case(testDescription: "an empty header", bytes: WireFrame(.header, channel: 1, []).bytes),
        Case(
            testDescription: "a header of another class",
            bytes: WireFrame(.header, channel: 1, [0, 10] + [UInt8](repeating: 0, count: 12)).bytes
        ),
        Case(testDescription: "an unknown method", bytes: WireFrame.method(60, 999, channel: 1).bytes),
        Case(testDescription: "a method that is cut off", bytes: WireFrame.method(60, 60, channel: 1, [200]).bytes),
        Case(testDescription: "a client's method", bytes: WireFrame.method(60, 40, channel: 1, [0, 0, 0, 0, 0]).bytes),
        Case(testDescription: "a frame larger than allowed", bytes: [3, 0, 1, 0x7f, 0, 0, 0]),
        Case(testDescription: "a frame of the largest size", bytes: [3, 0, 1, 0xff, 0xff, 0xff, 0xff]),
        Case(testDescription: "a body without a header", bytes: WireFrame(.body, channel: 1, [1]).bytes),
        Case(testDescription: "an answer without a request", bytes: WireFrame.method(50, 21, channel: 1).bytes),
        Case(
            testDescription: "a body longer than told",
            bytes: WireFrame.deliver(channel: 1, tag: "t", 1).bytes
                + WireFrame.header(channel: 1, bodySize: 1).bytes + WireFrame(.body, channel: 1, [1, 2]).bytes
        ),
        Case(
            testDescription: "a table that says to be longer than it is",
            bytes: WireFrame.header(channel: 1, bodySize: 0, headers: [0xff, 0xff, 0xff, 0xff]).bytes
        ),
        Case(testDescription: "an unasked close-ok", bytes: WireFrame.method(10, 51).bytes),
    ]

    @Test(arguments: cases)
    func endsWithAClearError(_ corrupt: Case) async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 20, 10)
            try socket.write(corrupt.bytes)
            socket.beSilent()
        }
        let connection = try await peer.connect()
        _ = try await connection.openChannel()
        #expect(await connection.waitUntilClosed()?.code == .protocolViolation)
    }

    /// A frame of an unknown type is no error for librabbitmq: it is skipped.
    @Test func unknownTypesAreSkipped() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 20, 10)
            try socket.send(WireFrame(kind: 77, channel: 1, [1, 2, 3]))
            try socket.serve()
        }
        let connection = try await peer.connect()
        let channel = try await connection.openChannel()
        #expect(try await channel.declareQueue(QueueDeclaration(name: "q")).name == "q")
        await connection.close()
    }

    @Test func garbageInsteadOfAHandshakeIsAnError() async throws {
        for garbage in [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "AMQP\u{0}\u{0}\u{9}\u{1}", "\u{1}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
        ] {
            let peer = try ScriptedPeer { socket in
                try socket.greet()
                try socket.write(Array(garbage.utf8))
                try socket.swallow()
            }
            await #expect(throws: AMQPError.self) { _ = try await peer.connect { $0.connectTimeout = .seconds(1) } }
        }
    }
}
