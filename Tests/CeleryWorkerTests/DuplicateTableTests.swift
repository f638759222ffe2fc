import AMQP
import Testing

@testable import CeleryWorker

@Suite("DuplicateTable")
struct DuplicateTableTests {
    private let key = TaskKey(id: "a")

    @Test("knows nothing in quiet times")
    func quiet() {
        var table = DuplicateTable<Int>()
        #expect(table.isEmpty)
        #expect(table.arrived(key, 1) == .run)
        #expect(table.heldCount == 0)
    }

    @Test("holds a copy while the first run goes on, and settles it as the first would have been")
    func holds() {
        for settlement in [Settlement.ack, .reject(requeue: false), .reject(requeue: true)] {
            var table = DuplicateTable<Int>()
            table.orphaned(key)
            #expect(!table.isEmpty)
            #expect(table.arrived(key, 1) == .hold)
            #expect(table.arrived(key, 2) == .hold)
            #expect(table.heldCount == 2)
            #expect(table.ended(key, settlement) == [1, 2])
            #expect(table.isEmpty)
            #expect(table.arrived(key, 3) == .run)
        }
    }

    @Test("a retry and a replacement of the same id run")
    func otherRuns() {
        var table = DuplicateTable<Int>()
        table.orphaned(key)
        #expect(table.arrived(TaskKey(id: "a", retries: 1), 1) == .run)
        #expect(table.arrived(TaskKey(id: "a", nesting: 1), 2) == .run)
        #expect(table.arrived(TaskKey(id: "b"), 3) == .run)
        #expect(table.heldCount == 0)
    }

    @Test("remembers how a run has ended until its copy comes, once")
    func remembers() {
        var table = DuplicateTable<Int>()
        table.orphaned(key)
        #expect(table.ended(key, .ack) == [])
        #expect(!table.isEmpty)
        #expect(table.arrived(key, 1) == .settle(.ack))
        #expect(table.arrived(key, 2) == .run)
        #expect(table.isEmpty)
    }

    @Test("an end that is told before the loss is remembered too")
    func endBeforeLoss() {
        var table = DuplicateTable<Int>()
        #expect(table.ended(key, .reject(requeue: false)) == [])
        #expect(table.arrived(key, 1) == .settle(.reject(requeue: false)))
    }

    @Test("a run that did not take place, or wants its message back, leaves no memory")
    func noMemory() {
        var table = DuplicateTable<Int>()
        table.orphaned(key)
        #expect(table.arrived(key, 1) == .hold)
        #expect(table.ended(key, nil) == [1])
        table.orphaned(key)
        #expect(table.ended(key, .reject(requeue: true)) == [])
        #expect(table.isEmpty)
    }

    @Test("the loss of a copy's own channel lets go of the copy, not of the run")
    func secondLoss() {
        var table = DuplicateTable<Int>()
        table.orphaned(key)
        #expect(table.arrived(key, 1) == .hold)
        #expect(table.removeHeld { $0 == 1 } == [1])
        #expect(table.arrived(key, 2) == .hold)
        #expect(table.ended(key, .ack) == [2])
    }

    @Test("two runs of one id stand for two deliveries")
    func sentTwice() {
        var table = DuplicateTable<Int>()
        table.orphaned(key)
        table.orphaned(key)
        #expect(table.arrived(key, 1) == .hold)
        #expect(table.arrived(key, 2) == .hold)
        #expect(table.ended(key, .ack) == [1])
        #expect(table.ended(key, .ack) == [2])
        #expect(table.isEmpty)
    }

    @Test("a settlement is not remembered for ever: the id may be used again")
    func age() {
        var memory = SettlementMemory(capacity: 3)
        let start = ContinuousClock.now
        for id in ["a", "b"] { memory.remember(TaskKey(id: id), .ack, now: start) }
        #expect(memory.take(TaskKey(id: "a"), now: start + .seconds(3599)) == .ack)
        #expect(memory.take(TaskKey(id: "b"), now: start + .seconds(3600)) == nil)
        #expect(memory.count == 0)
    }

    @Test("forgets the oldest beyond its capacity")
    func bounded() {
        var memory = SettlementMemory(capacity: 3)
        for number in 0..<100 {
            memory.remember(TaskKey(id: "\(number)"), .ack)
            if number.isMultiple(of: 2) { #expect(memory.take(TaskKey(id: "\(number)")) == .ack) }
        }
        #expect(memory.count == 3)
        #expect(memory.take(TaskKey(id: "93")) == nil)
        #expect([95, 97, 99].allSatisfy { memory.take(TaskKey(id: "\($0)")) == .ack })
        #expect(memory.count == 0)
    }
}

@Suite("SettledTail")
struct SettledTailTests {
    private func key(_ number: Int) -> TaskKey { TaskKey(id: "\(number)") }

    @Test("keeps the last acknowledgements of each channel, and answers them once")
    func keepsTheLast() {
        let (one, two) = (ChannelEpoch(number: 1), ChannelEpoch(number: 2))
        var tail = SettledTail(capacity: 4)
        for number in 0..<6 { tail.append(number == 3 ? two : one, key(number)) }
        #expect(tail.take(one) == [key(2), key(4), key(5)])
        #expect(tail.take(one).isEmpty)
        for number in 6..<9 { tail.append(one, key(number)) }
        #expect(tail.take(two) == [key(3)])
        tail.append(two, key(9))
        tail.append(two, key(10))
        #expect(tail.take(one) == [key(7), key(8)])
        #expect(tail.take(two) == [key(9), key(10)])
    }
}
