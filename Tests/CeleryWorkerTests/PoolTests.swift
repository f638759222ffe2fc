import Celery
import CeleryProtocol
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("ThreadExecutor")
struct ThreadExecutorTests {
    @Test("runs as many blocking bodies as it may have threads, and ends the threads when they are idle")
    func grows() async throws {
        let executor = ThreadExecutor(label: "test", maxThreads: 8, usualThreads: 1, idleLimit: .milliseconds(30))
        let gate = TestGate()
        let running = WorkerCounters.Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask(executorPreference: executor) {
                    running.add()
                    gate.block()
                }
            }
            try? await eventually("all are running") { running.count == 8 }
            #expect(executor.threadCount == 8)
            gate.open()
        }
        try await eventually("the threads have ended") { executor.threadCount == 0 }
        await Task(executorPreference: executor) {}.value
    }

    @Test("never has more threads than allowed, and runs everything")
    func bounded() async {
        let executor = ThreadExecutor(label: "test", maxThreads: 3, usualThreads: 2)
        let sum = WorkerCounters.Counter()
        await withTaskGroup(of: Void.self) { group in
            for number in 1...500 {
                group.addTask(executorPreference: executor) {
                    await Task.yield()
                    sum.add(number)
                }
            }
        }
        #expect(sum.count == 125_250)
        #expect(executor.threadCount <= 3)
    }

    @Test("works on while Swift's own threads are blocked")
    func independent() async {
        let executor = ThreadExecutor(label: "test", maxThreads: 2, usualThreads: 1)
        let gate = Gate<Void>()
        Alarm.after(.milliseconds(5)) { gate.open() }
        await Task(executorPreference: executor) { await gate.wait() }.value
    }
}

/// Collects texts from many tasks.
private final class Collector: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    func add(_ text: String) { texts.withLock { $0.append(text) } }
}

@Suite("Pace")
struct PaceTests {
    @Test("takes bodies for long until many brief ones have shown otherwise, and a single long one for an exception")
    func average() {
        let pace = Pace()
        #expect(!pace.isBrief)
        for _ in 0..<100 { pace.note(.microseconds(2)) }
        #expect(pace.isBrief)
        pace.note(.seconds(100))
        #expect(pace.isBrief)
        for _ in 0..<5 { pace.note(.milliseconds(1)) }
        #expect(!pace.isBrief)
    }
}

@Suite("PublishWindow")
struct PublishWindowTests {
    @Test("lets callers in until it is full, and again when half is free")
    func room() async {
        let window = PublishWindow(messages: 4)
        for _ in 0..<4 {
            await window.waitForRoom()
            window.enter(bytes: 1)
        }
        let passed = Gate<Void>()
        Task {
            await window.waitForRoom()
            passed.open()
        }
        #expect(await passed.wait(limit: .milliseconds(10)) == nil)
        window.leave(bytes: 1)
        #expect(await passed.wait(limit: .milliseconds(10)) == nil)
        window.leave(bytes: 1)
        await passed.wait()
        #expect(window.count == 2)
    }

    @Test("counts bytes as well, and tells when nothing is left")
    func bytesAndIdle() async {
        let window = PublishWindow(messages: 100, bytes: 10)
        #expect(await window.waitUntilIdle(limit: .zero))
        window.enter(bytes: 11)
        let passed = Gate<Void>()
        Task {
            await window.waitForRoom()
            passed.open()
        }
        #expect(await passed.wait(limit: .milliseconds(10)) == nil)
        #expect(await !window.waitUntilIdle(limit: .milliseconds(5)))
        window.leave(bytes: 11)
        await passed.wait()
        #expect(await window.waitUntilIdle(limit: .seconds(10)))
    }

    @Test("loses no wake-up however many enter and leave")
    func stress() async {
        let window = PublishWindow(messages: 3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        await window.waitForRoom()
                        window.enter(bytes: 1)
                        await Task.yield()
                        window.leave(bytes: 1)
                    }
                }
            }
        }
        #expect(window.count == 0)
    }
}

@Suite("ReadyQueue")
struct ReadyQueueTests {
    static func request(_ id: String, epoch: UInt64 = 1) throws -> TaskRequest {
        let message = TaskMessage(headers: TaskHeaders(task: "t", id: id), body: TaskBody())
        let (properties, body) = message.encoded()
        var table = DeliveryTable()
        let epoch = ChannelEpoch(number: epoch)
        let task = RegisteredTask(name: "t", options: .init()) { _, _, _ in .null }
        return TaskRequest(
            task: try WorkerTask(task, CeleryConfiguration()),
            envelope: try ReceivedTask.recognise(properties, body: body),
            delivery: table.register(epoch, tag: 1),
            epoch: epoch,
            info: DeliveryInfo(exchange: "", routingKey: "celery", priority: nil, redelivered: false),
            wantsResult: false,
            expires: nil,
            arrival: .now
        )
    }

    @Test("gives every request to exactly one of many slots, in order of arrival to each")
    func distributes() async throws {
        let queue = ReadyQueue()
        let taken = Collector()
        let requests = try (0..<300).map { try Self.request("\($0)") }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var turn = ReadyQueue.Turn()
                    while let request = await queue.next(&turn) {
                        taken.add(request.id)
                        turn.runtime = .zero
                    }
                }
            }
            for start in stride(from: 0, to: 300, by: 30) {
                #expect(queue.append(Array(requests[start..<start + 30])).isEmpty)
                await Task.yield()
            }
            try? await eventually("all are taken") { taken.all.count == 300 }
            #expect(queue.close().isEmpty)
        }
        #expect(Set(taken.all).count == 300)
    }

    @Test("wakes a further slot while the first ones are held up")
    func wakesOthers() async throws {
        let queue = ReadyQueue()
        let gate = TestGate()
        let started = WorkerCounters.Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var turn = ReadyQueue.Turn()
                    while await queue.next(&turn) != nil {
                        started.add()
                        await gate.wait()
                        turn.runtime = .seconds(1)
                    }
                }
            }
            for number in 0..<4 { _ = queue.append([try Self.request("\(number)")]) }
            try await eventually("all four have started") { started.count == 4 }
            gate.open()
            _ = queue.close()
        }
    }

    @Test("leaves brief requests to the slot at work, but wakes others when it is held up")
    func briefRequests() async throws {
        let pace = Pace()
        for _ in 0..<200 { pace.note(.microseconds(1)) }
        let queue = ReadyQueue(pace: pace)
        let gate = TestGate()
        let taken = Collector()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for slot in 0..<4 {
                group.addTask {
                    var turn = ReadyQueue.Turn()
                    while let request = await queue.next(&turn) {
                        taken.add("\(slot)")
                        if request.id.hasPrefix("block") { await gate.wait() }
                        turn.runtime = .microseconds(1)
                    }
                }
            }
            _ = queue.append(try (0..<200).map { try Self.request("\($0)") })
            try await eventually("all are taken") { taken.all.count == 200 }
            #expect(Set(taken.all).count == 1)

            _ = queue.append(try (0..<3).map { try Self.request("block \($0)") })
            _ = queue.append(try (0..<50).map { try Self.request("\($0)") })
            try await eventually("the fourth slot takes the rest") { taken.all.count == 253 }
            gate.open()
            _ = queue.close()
        }
    }

    @Test("removes by condition, and refuses what comes after its end")
    func removesAndCloses() throws {
        let queue = ReadyQueue()
        #expect(queue.append([try Self.request("a", epoch: 1), try Self.request("b", epoch: 2)]).isEmpty)
        #expect(queue.remove { $0.epoch.number == 1 }.map(\.id) == ["a"])
        #expect(queue.close().map(\.id) == ["b"])
        #expect(queue.append([try Self.request("c")]).map(\.id) == ["c"])
    }
}
