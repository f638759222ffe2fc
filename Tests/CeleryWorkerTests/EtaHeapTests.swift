import Testing

@testable import CeleryWorker

@Suite("EtaHeap")
struct EtaHeapTests {
    @Test("gives what is due in the order of times, equal times in the order of arrival")
    func ordersByTimeThenArrival() {
        var heap = EtaHeap<String>()
        heap.insert("late", due: 30)
        heap.insert("first", due: 10)
        heap.insert("second", due: 10)
        heap.insert("middle", due: 20)

        var order: [String] = []
        while let element = heap.popDue(now: 100) { order.append(element) }

        #expect(order == ["first", "second", "middle", "late"])
        #expect(heap.isEmpty)
    }

    @Test("keeps what is not due yet")
    func keepsFuture() {
        var heap = EtaHeap<Int>()
        heap.insert(1, due: 50)

        let early = heap.popDue(now: 49)
        #expect(early == nil)
        #expect(heap.nextDue == 50)
        let due = heap.popDue(now: 50)
        #expect(due == 1)
        #expect(heap.nextDue == nil)
    }

    @Test("removes what a condition names and keeps the rest in order")
    func removesByCondition() {
        var heap = EtaHeap<Int>()
        for number in (1...9).reversed() { heap.insert(number, due: Int64(number)) }

        let removed = heap.removeAll { $0.isMultiple(of: 3) }

        #expect(removed == [3, 6, 9])
        var left: [Int] = []
        while let element = heap.popDue(now: .max) { left.append(element) }
        #expect(left == [1, 2, 4, 5, 7, 8])
    }

    @Test("sorts any order of insertion")
    func sortsRandomInsertions() {
        var generator = SeededGenerator(seed: 7)
        var heap = EtaHeap<Int64>()
        let times = (0..<500).map { _ in Int64.random(in: 0..<100, using: &generator) }
        for time in times { heap.insert(time, due: time) }

        var order: [Int64] = []
        while let element = heap.popDue(now: .max) { order.append(element) }

        #expect(order == times.sorted())
    }
}

/// A random generator that gives the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
