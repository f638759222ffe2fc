import Celery
import CeleryProtocol
import Testing

@testable import CeleryWorker

@Suite("Support")
struct SupportTests {
    @Test("waits of a back-off double up to the cap, with jitter below it")
    func backoff() {
        var generator = SeededGenerator(seed: 1)
        var backoff = Backoff(first: 1, cap: 8)
        for step in [1.0, 2, 4, 8, 8, 8] {
            let wait = backoff.next(using: &generator).seconds
            #expect((step / 2...step).contains(wait))
        }
        backoff.reset()
        #expect(backoff.next(using: &generator).seconds <= 1)
    }

    @Test("a gate opens once, for all that wait")
    func gate() async {
        let gate = Gate<Int>()
        async let first = gate.wait()
        async let second = gate.wait()
        #expect(await gate.wait(limit: .milliseconds(5)) == nil)
        gate.open(1)
        gate.open(2)
        #expect(await [first, second] == [1, 1])
        #expect(gate.value == 1)
        #expect(await gate.wait(limit: .seconds(60)) == 1)
    }

    @Test("a wait for a gate ends with its task")
    func gateCancellation() async {
        let gate = Gate<Int>()
        let task = Task { await gate.waitUnlessCancelled() }
        task.cancel()
        #expect(await task.value == nil)
    }

    @Test("a wait that was given up leaves nothing at the gate")
    func gateObservers() async {
        let gate = Gate<Int>()
        for _ in 0..<3 { _ = await gate.wait(limit: .milliseconds(1)) }
        let task = Task { await gate.waitUnlessCancelled() }
        task.cancel()
        _ = await task.value
        let observer = gate.whenOpen { _ in }
        #expect(gate.observerCount == 1)
        gate.remove(observer)
        #expect(gate.observerCount == 0)
    }

    @Test("a current value comes, goes, and ends")
    func currentValue() async {
        let current = CurrentValue<Int>()
        async let waited = current.wait()
        current.set(1)
        #expect(await waited == 1)
        #expect(await current.wait() == 1)
        current.set(nil)
        async let ended = current.wait()
        current.close()
        #expect(await ended == nil)
        current.set(2)
        #expect(await current.wait() == nil)
    }

    @Test("celery.accumulate gives its arguments, or one of them")
    func accumulate() throws {
        #expect(try BuiltinTasks.accumulate([1, 2], [:]) == [1, 2])
        #expect(try BuiltinTasks.accumulate([1, 2], ["index": 0]) == 1)
        #expect(try BuiltinTasks.accumulate([1, 2], ["index": -1]) == 2)
        let error = #expect(throws: TaskError.self) { try BuiltinTasks.accumulate([1], ["index": 5]) }
        #expect(error?.type == "IndexError")
    }

    @Test("a registry has Celery's own tasks")
    func registry() {
        #expect(
            TaskRegistry().names == [
                "celery.accumulate", "celery.backend_cleanup", "celery.chain", "celery.chord",
                "celery.chord_unlock", "celery.chunks", "celery.group", "celery.map", "celery.starmap",
            ]
        )
    }

    @Test("what strangers write into headers stays on one bounded line of the log")
    func loggable() {
        #expect("plain-id".loggable == "plain-id")
        #expect("a\nb\u{1b}[31m".loggable == "a b [31m")
        #expect(String(repeating: "x", count: 5_000).loggable.count == 255)
        #expect("naïve ☃".loggable == "naïve ☃")
    }
}
