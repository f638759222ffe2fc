import Testing

@testable import CeleryWorker

@Suite("Pool: the count of slots")
struct SlotCountTests {
    @Test("a pool that is closed before its start is over")
    func neverStarted() {
        var slots = SlotCount(wanted: 3)
        #expect(!slots.isOver)
        slots.close()
        #expect(slots.isOver)
    }

    @Test("it is over when it is closed and the last slot has ended")
    func lastSlot() {
        var slots = SlotCount(wanted: 2)
        let started = slots.start()
        #expect(started == 2)
        slots.end()
        slots.close()
        #expect(!slots.isOver)
        slots.end()
        #expect(slots.isOver)
    }

    @Test("growing while slots are about to end keeps them")
    func keeping() {
        var slots = SlotCount(wanted: 4)
        _ = slots.start()
        let shrunk = slots.resize(to: 1)
        #expect(shrunk == -3)
        let grown = slots.resize(to: 3)
        #expect(grown == 2)
        slots.keep(2)
        #expect(slots.open == 4)
        #expect(slots.wanted == 3)
    }

    @Test("at least one slot is wanted, and a closed pool does not change")
    func bounds() {
        var slots = SlotCount(wanted: 0)
        #expect(slots.wanted == 1)
        let beforeStart = slots.resize(to: 5)
        #expect(beforeStart == 0)
        #expect(slots.wanted == 5)
        slots.close()
        _ = slots.resize(to: 9)
        #expect(slots.wanted == 5)
    }
}
