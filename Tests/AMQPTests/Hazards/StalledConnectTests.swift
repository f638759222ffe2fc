import Logging
import Testing

@testable import AMQP

@Suite("Connecting to a peer that stalls ends in time", .timeLimit(.minutes(2)))
struct StalledConnectTests {
    enum Stage: CaseIterable, Sendable {
        case greeting
        case login
        case tune
        case open
        case drip
    }

    private func failure(_ configuration: ConnectionConfiguration) async -> (AMQPError?, Duration) {
        let start = ContinuousClock.now
        do throws(AMQPError) {
            _ = try await AMQPConnection.connect(configuration, logger: Logger(label: "test"))
            return (nil, start.duration(to: .now))
        } catch {
            return (error, start.duration(to: .now))
        }
    }

    @Test(arguments: Stage.allCases)
    func handshakeIsBounded(_ stage: Stage) async throws {
        let peer = try ScriptedPeer { socket in
            switch stage {
            case .greeting: break
            case .login:
                try socket.greet()
                try socket.start()
            case .tune:
                try socket.greet()
                try socket.start()
                try socket.send(.method(10, 30, [0, 0], [0, 2, 0, 0], [0, 0]))
                _ = try socket.readFrame()
            case .open: try socket.handshakeUntilOpen()
            case .drip:
                // One byte after another, each in good time.
                for byte in WireFrame.method(10, 10, [0, 9], WireFrame.wire(UInt32(0))).bytes {
                    try socket.write([byte])
                    try socket.pause(milliseconds: 300)
                }
            }
            socket.beSilent()
        }
        let (error, elapsed) = await failure(try peer.configuration { $0.connectTimeout = .seconds(1) })
        #expect(error?.code == .timeout || error?.code == .connectionFailed)
        #expect(elapsed >= .milliseconds(900))
        #expect(elapsed < .seconds(30))
    }

    @Test func tlsHandshakeIsBounded() async throws {
        let peer = try ScriptedPeer { $0.beSilent() }
        let configuration = try peer.configuration {
            $0.connectTimeout = .seconds(1)
            $0.uri.tls = true
            $0.tls.verifyPeer = false
            $0.tls.verifyHostname = false
        }
        let (error, elapsed) = await failure(configuration)
        #expect(error?.code == .connectionFailed)
        #expect(elapsed < .seconds(30))
    }

    @Test func cancelledConnectReturnsAtOnce() async throws {
        let peer = try ScriptedPeer { $0.beSilent() }
        let configuration = try peer.configuration { $0.connectTimeout = .seconds(30) }
        let connecting = Task { await failure(configuration) }
        try await Task.sleep(for: .milliseconds(200))
        connecting.cancel()
        let (error, elapsed) = await connecting.value
        #expect(error?.code == .cancelled)
        #expect(elapsed < .seconds(20))
    }
}
