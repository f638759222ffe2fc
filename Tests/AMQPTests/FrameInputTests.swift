import Testing

@testable import AMQP

@Suite("Frames are read from bytes without a socket")
struct FrameInputTests {
    private static func big(_ number: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * (width - 1 - $0))) }
    }

    private static func frame(_ kind: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [kind] + big(1, 2) + big(payload.count, 4) + payload + [0xce]
    }

    /// A content header with a header `a`: empty arrays, one within the other.
    private static func header(levels: Int) -> [UInt8] {
        let arrays = (0..<levels).flatMap { [UInt8(ascii: "A")] + big(5 * (levels - 1 - $0), 4) }
        let table = [1, UInt8(ascii: "a")] + arrays
        return frame(2, big(60, 2) + big(0, 2) + big(0, 8) + [0x20, 0] + big(table.count, 4) + table)
    }

    private static func frames(_ bytes: [UInt8], piece: Int = .max) throws -> [InboundFrame] {
        let input = try FrameInput(frameMax: 131_072)
        var frames: [InboundFrame] = []
        for start in stride(from: 0, to: bytes.count, by: min(piece, bytes.count)) {
            try input.decode(Array(bytes[start...].prefix(piece))) { frames.append($0) }
        }
        return frames
    }

    @Test(arguments: [1, 7, 64, 4096])
    func piecesMakeFrames(of piece: Int) throws {
        let heartbeat: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0xce]
        let frames = try Self.frames(
            Self.header(levels: 3) + heartbeat + Self.frame(3, [1, 2, 3])
                + Self.frame(1, Self.big(0x14_000b, 4) + Self.big(0, 4)),
            piece: piece
        )
        #expect(frames.count == 3)
        guard case .body(channel: 1, [1, 2, 3]) = frames[1], case .method(channel: 1, .reply(.channelOpen)) = frames[2]
        else {
            Issue.record("\(frames)")
            return
        }
    }

    @Test func brokenFramesAreErrors() {
        var bytes = Self.frame(3, [1])
        bytes[bytes.count - 1] = 0
        #expect { try Self.frames(bytes) } throws: { ($0 as? AMQPError)?.code == .protocolViolation }
        #expect { try Self.frames(Self.frame(1, [0, 99, 0, 99])) } throws: {
            ($0 as? AMQPError)?.code == .protocolViolation
        }
    }

    @Test(arguments: [(1, true), (100, true), (101, false), (26_000, false)])
    func headersNestedTooDeeplyAreNoProperties(levels: Int, readable: Bool) throws {
        let frames = try Self.frames(Self.header(levels: levels))
        guard case .header(channel: 1, bodySize: 0, let properties)? = frames.first else {
            Issue.record("\(frames)")
            return
        }
        #expect((properties?.headers?["a"]?.arrayValue != nil) == readable)
        // What can be read may be sent on.
        if let properties { #expect(throws: Never.self) { try MessageLimits.check(properties) } }
    }
}
