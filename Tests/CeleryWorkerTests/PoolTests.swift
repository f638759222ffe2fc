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

@Suite("ReadyQueue")
struct ReadyQueueTests {
    static func request(_ id: String, epoch: UInt64 = 1) throws -> TaskRequest {
        let message = TaskMessage(headers: TaskHeaders(task: "t", id: id), body: TaskBody())
        let (properties, body) = message.encoded()
        var table = DeliveryTable()
        let epoch = ChannelEpoch(number: epoch)
        let task = RegisteredTask(name: "t", options: .init()) { _, _, _ in .null }
        return TaskRequest(
            task: WorkerTask(task, CeleryConfiguration()),
            envelope: try ReceivedTask.recognise(properties, body: body),
            delivery: table.register(epoch, tag: 1),
            epoch: epoch,
            info: DeliveryInfo(exchange: "", routingKey: "celery", priority: nil, redelivered: false),
            wantsResult: false,
            expires: nil
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

    @Test("removes by condition, and refuses what comes after its end")
    func removesAndCloses() throws {
        let queue = ReadyQueue()
        #expect(queue.append([try Self.request("a", epoch: 1), try Self.request("b", epoch: 2)]).isEmpty)
        #expect(queue.remove { $0.epoch.number == 1 }.map(\.id) == ["a"])
        #expect(queue.close().map(\.id) == ["b"])
        #expect(queue.append([try Self.request("c")]).map(\.id) == ["c"])
    }
}
