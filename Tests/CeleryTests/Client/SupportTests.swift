import Testing

@testable import Celery

@Suite("Waiting", .timeLimit(.minutes(1)))
struct SupportTests {
    @Test func pendingSettlesOnceForAll() async throws {
        let pending = Pending<Int>()
        let values = Task {
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 { group.addTask { try await pending.value() } }
                return try await group.reduce(0, +)
            }
        }
        await Task.yield()
        pending.settle(.success(2))
        pending.settle(.success(3))
        #expect(try await values.value == 40)
        #expect(try await pending.value() == 2)
    }

    @Test func pendingGivesUpWhenCancelled() async throws {
        let pending = Pending<Int>()
        let waiting = Task { try await pending.value() }
        await Task.yield()
        waiting.cancel()
        let error = await #expect(throws: CeleryError.self) { try await waiting.value }
        #expect(error?.code == .cancelled)
    }

    @Test func slotsBoundWhatRunsAtATime() async throws {
        let slots = SlotPool(capacity: 4)
        let gauge = Gauge()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await slots.acquire()
                    await gauge.enter()
                    await Task.yield()
                    await gauge.leave()
                    slots.release()
                }
            }
            try await group.waitForAll()
        }
        #expect(await gauge.highest <= 4)
        await slots.drained()
    }

    @Test func whoIsCancelledLeavesTheLine() async throws {
        let slots = SlotPool(capacity: 1)
        try await slots.acquire()
        let waiting = (0..<10).map { _ in Task { try await slots.acquire() } }
        await Task.yield()
        for task in waiting { task.cancel() }
        for task in waiting {
            let error = await #expect(throws: CeleryError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
        slots.release()
        try await slots.acquire()
        slots.release()
    }

    private actor Gauge {
        private var current = 0
        private(set) var highest = 0

        func enter() {
            current += 1
            highest = max(highest, current)
        }

        func leave() { current -= 1 }
    }
}
