import Testing

@testable import AMQP

@Suite("SettlementCoalescer sends few methods and never covers what is unsettled")
struct SettlementCoalescerTests {
    private func delivered(_ count: UInt64) -> SettlementCoalescer {
        var coalescer = SettlementCoalescer()
        for tag in 1...count { coalescer.delivered(tag, noAck: false) }
        return coalescer
    }

    @Test func tagsThatNoBrokerCountsUpTo() {
        var coalescer = SettlementCoalescer()
        coalescer.delivered(.max, noAck: false)
        #expect(coalescer.unsettledCount == .max)
        let settled = coalescer.settle(.max, .ack)
        #expect(settled)
        #expect(coalescer.flush() == [.ack(tag: .max, multiple: false)])
    }

    @Test func acksWithoutGapBecomeOne() {
        var coalescer = delivered(5)
        for tag in [3, 1, 2] as [UInt64] { #expect(coalescer.settle(tag, .ack) == true) }
        #expect(coalescer.flush() == [.ack(tag: 3, multiple: true)])
        #expect(coalescer.flush() == [])
        #expect(coalescer.unsettledCount == 2)
    }

    @Test func acksBeyondAGapGoOutOneByOne() {
        var coalescer = delivered(5)
        for tag in [2, 4] as [UInt64] { _ = coalescer.settle(tag, .ack) }
        #expect(coalescer.flush() == [.ack(tag: 2, multiple: false), .ack(tag: 4, multiple: false)])
        _ = coalescer.settle(1, .ack)
        #expect(coalescer.flush() == [.ack(tag: 1, multiple: false)])
        _ = coalescer.settle(3, .ack)
        _ = coalescer.settle(5, .ack)
        #expect(coalescer.flush() == [.ack(tag: 5, multiple: true)])
    }

    @Test func rejectsGoBeforeTheAckThatWouldCoverThem() {
        var coalescer = delivered(3)
        _ = coalescer.settle(1, .ack)
        _ = coalescer.settle(2, .reject(requeue: true))
        _ = coalescer.settle(3, .ack)
        #expect(coalescer.flush() == [.reject(tag: 2, requeue: true), .ack(tag: 3, multiple: true)])
    }

    @Test func secondSettlementIsRefused() {
        var coalescer = delivered(2)
        #expect(coalescer.settle(1, .ack) == true)
        #expect(coalescer.settle(1, .reject(requeue: true)) == false)
        _ = coalescer.flush()
        #expect(coalescer.settle(1, .ack) == false)
        #expect(coalescer.settle(7, .ack) == false)
        #expect(coalescer.flush() == [])
    }

    @Test func deliveriesWithoutAckDoNotHoldUpTheFloor() {
        var coalescer = SettlementCoalescer()
        coalescer.delivered(1, noAck: true)
        coalescer.delivered(2, noAck: false)
        coalescer.delivered(3, noAck: true)
        coalescer.delivered(4, noAck: false)
        _ = coalescer.settle(2, .ack)
        _ = coalescer.settle(4, .ack)
        #expect(coalescer.flush() == [.ack(tag: 4, multiple: true)])
        #expect(coalescer.unsettledCount == 0)
    }

    /// Random orders against a model of the broker: whatever is sent settles exactly what was asked.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func randomOrders(_ seed: UInt64) {
        var generator = SplitMix(state: seed)
        var coalescer = SettlementCoalescer()
        var asked: [UInt64: Settlement] = [:]
        var broker: [UInt64: Settlement] = [:]
        var outstanding: Set<UInt64> = []
        var next: UInt64 = 1
        for _ in 0..<400 {
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                let noAck = Int.random(in: 0..<5, using: &generator) == 0
                coalescer.delivered(next, noAck: noAck)
                if !noAck { outstanding.insert(next) }
                next += 1
            }
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                guard let tag = outstanding.subtracting(asked.keys).randomElement(using: &generator) else { break }
                let kinds: [Settlement] = [.ack, .ack, .reject(requeue: true), .nack(requeue: false)]
                let settlement = kinds.randomElement(using: &generator) ?? .ack
                asked[tag] = settlement
                #expect(coalescer.settle(tag, settlement) == true)
            }
            for method in coalescer.flush() { apply(method, to: &outstanding, &broker) }
            #expect(broker == asked)
        }
    }

    private func apply(
        _ method: SettlementCoalescer.Method,
        to outstanding: inout Set<UInt64>,
        _ broker: inout [UInt64: Settlement]
    ) {
        switch method {
        case .ack(let tag, let multiple):
            for settled in outstanding.filter({ multiple ? $0 <= tag : $0 == tag }) {
                outstanding.remove(settled)
                broker[settled] = .ack
            }
        case .reject(let tag, let requeue):
            outstanding.remove(tag)
            broker[tag] = .reject(requeue: requeue)
        case .nack(let tag, let requeue):
            outstanding.remove(tag)
            broker[tag] = .nack(requeue: requeue)
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
