import AMQP
import AMQPValues
import Testing

@testable import CeleryWorker

@Suite("Chords: how much of a collector queue is in memory")
struct ChordGaugeTests {
    private static func messages(_ count: Int, size: Int = 1_000) -> [IncomingMessage] {
        (0..<count).map { number in
            IncomingMessage(
                deliveryTag: UInt64(number + 1),
                routingKey: "swcelery.chord.0",
                properties: BasicProperties(),
                body: Array(repeating: 0, count: size)
            )
        }
    }

    private static let first = ChannelEpoch(number: 1)
    private static let second = ChannelEpoch(number: 2)

    @Test("takes what there is room for, and then nothing more of the channel")
    func overflow() {
        let gauge = ChordGauge(capacity: 5_500)
        let admission = gauge.admit(Self.messages(6), from: Self.first)
        #expect(admission.taken.map(\.deliveryTag) == [1, 2, 3, 4])
        #expect(admission.isOverflow)
        #expect(!gauge.isHandled)
        gauge.handled(Array(admission.taken), holding: 0)
        #expect(gauge.isHandled)
        let late = gauge.admit(Self.messages(1), from: Self.first)
        #expect(late.taken.isEmpty, "a gap would make an order that the queue does not have")
        #expect(!late.isOverflow, "told once")
        #expect(gauge.admit(Self.messages(1), from: Self.second).taken.count == 1)
    }

    @Test("what is held takes room until it is let go of")
    func held() {
        let gauge = ChordGauge(capacity: 5_500)
        let taken = gauge.admit(Self.messages(2), from: Self.first).taken
        gauge.handled(Array(taken), holding: 5_000)
        #expect(gauge.admit(Self.messages(1), from: Self.first).taken.isEmpty)
        gauge.hold(0)
        #expect(gauge.admit(Self.messages(4), from: Self.second).taken.count == 4)
    }

    @Test("a message larger than all is taken where nothing is held, so that things go on")
    func large() {
        let gauge = ChordGauge(capacity: 10)
        let admission = gauge.admit(Self.messages(2), from: Self.first)
        #expect(admission.taken.count == 1)
        #expect(admission.isOverflow)
    }
}
