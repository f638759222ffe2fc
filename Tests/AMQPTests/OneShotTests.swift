import Testing

@testable import AMQP

@Suite("OneShot brings one value to all who wait")
struct OneShotTests {
    @Test func allWaitersGetTheFirstValue() async {
        let shot = OneShot<Int>()
        await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<10 { group.addTask { await shot.value() } }
            shot.fulfil(1)
            shot.fulfil(2)
            for await value in group { #expect(value == 1) }
        }
        #expect(shot.current == 1)
    }

    @Test func cancelledWaiterGetsNothing() async {
        let shot = OneShot<Int>()
        let waiter = Task { await shot.value() }
        waiter.cancel()
        #expect(await waiter.value == nil)
        shot.fulfil(1)
    }

    @Test func uncancellableWaiterOutlivesCancellation() async {
        let shot = OneShot<Int>()
        let waiter = Task { await shot.uncancellableValue() }
        waiter.cancel()
        shot.fulfil(3)
        #expect(await waiter.value == 3)
    }
}
