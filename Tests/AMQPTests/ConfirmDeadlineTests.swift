import Synchronization
import Testing

@testable import AMQP

@Suite("A confirm that does not come")
struct ConfirmDeadlineTests {
    private let start = ContinuousClock.now

    private func look(
        _ deadline: inout ConfirmDeadline,
        _ waiting: Range<UInt64>,
        after seconds: Int,
        isPaused: Bool = false
    ) -> Bool {
        deadline.look(waiting: waiting, isPaused: isPaused, now: { start + .seconds(seconds) })
    }

    @Test func isNoticedAfterTheLimit() {
        var deadline = ConfirmDeadline(limit: .seconds(60))
        #expect(look(&deadline, 1..<4, after: 0) == false)
        #expect(deadline.due == start + .seconds(60))
        #expect(look(&deadline, 1..<9, after: 59) == false)
        #expect(look(&deadline, 3..<9, after: 60) == true)
    }

    @Test func laterOnesGetTheirOwnTime() {
        var deadline = ConfirmDeadline(limit: .seconds(60))
        #expect(look(&deadline, 1..<4, after: 0) == false)
        #expect(look(&deadline, 4..<9, after: 60) == false)
        #expect(deadline.due == start + .seconds(120))
        #expect(look(&deadline, 8..<9, after: 119) == false)
        #expect(look(&deadline, 8..<20, after: 120) == true)
    }

    @Test func nothingIsDueWhereNothingWaits() {
        var deadline = ConfirmDeadline(limit: .seconds(60))
        #expect(look(&deadline, 1..<4, after: 0) == false)
        #expect(look(&deadline, 4..<4, after: 10) == false)
        #expect(deadline.due == nil)
        #expect(look(&deadline, 4..<5, after: 70) == false)
        #expect(deadline.due == start + .seconds(130))
    }

    @Test func pausesDoNotCount() {
        var deadline = ConfirmDeadline(limit: .seconds(60))
        #expect(look(&deadline, 1..<4, after: 0) == false)
        #expect(look(&deadline, 1..<4, after: 500, isPaused: true) == false)
        #expect(deadline.due == nil)
        #expect(look(&deadline, 1..<4, after: 510) == false)
        #expect(look(&deadline, 1..<4, after: 570) == true)
    }

    @Test func noLimitIsNone() {
        var deadline = ConfirmDeadline(limit: .zero)
        #expect(look(&deadline, 1..<4, after: 0) == false)
        #expect(deadline.due == nil)
    }

    /// The broker confirms the first message and never the second: librabbitmq skips frames of unknown types in silence, and
    /// with them a confirm.
    @Test func endsTheConnection() async throws {
        let peer = try ScriptedPeer { socket in
            try socket.handshake()
            try socket.wait(for: 60, 40)
            try socket.send(.method(60, 80, channel: 1, WireFrame.wire(UInt64(1)), [0]))
            try socket.serve()
        }
        let connection = try await peer.connect { $0.confirmTimeout = .milliseconds(300) }
        let channel = try await connection.openChannel(confirms: true)
        try await channel.publish(OutgoingMessage(routingKey: "q", body: [1]))
        #expect(!connection.isClosed)
        let error = await #expect(throws: AMQPError.self) {
            try await channel.publish(OutgoingMessage(routingKey: "q", body: [2]))
        }
        #expect(error?.code == .timeout)
        #expect(await connection.waitUntilClosed()?.code == .timeout)
    }
}
