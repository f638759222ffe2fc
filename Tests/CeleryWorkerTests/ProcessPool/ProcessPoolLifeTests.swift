import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import PoolTasks
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What the process under test has of the system.
private enum OwnProcess {
    static var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    /// Children of this process that have ended and were not collected; nil where that cannot be told.
    static var zombies: Int {
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap { Int($0) }.filter { pid in
            let fields = status(of: pid)
            return fields.count > 1 && fields[0] == "Z" && fields[1] == own
        }.count
    }

    /// Whether a process is there that has not ended; one that has may wait for whoever collects it.
    static func isAlive(_ pid: Int) -> Bool {
        #if os(Linux)
        let fields = status(of: pid)
        return !fields.isEmpty && fields[0] != "Z" && fields[0] != "X"
        #else
        return kill(Int32(pid), 0) == 0
        #endif
    }

    /// State, parent and more of a process; empty where there is none.
    private static func status(of pid: Int) -> [String] {
        // `pid (name) state parent …`
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return [] }
        let behindName = String(decoding: data, as: UTF8.self).split(separator: ")").last ?? ""
        return behindName.split(separator: " ").map { String($0) }
    }
}

@Suite("Process pool: lives of children")
struct ProcessPoolLifeTests {
    @Test("two hundred deaths leave no zombie and no descriptor behind")
    func manyDeaths() async throws {
        try await PoolHarness.run(concurrency: 4) { harness in
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
            try await eventually("all are up") { harness.worker.pool.children.allSatisfy { $0.phase == .idle } }
            let before = OwnProcess.descriptors
            let ids = try (0..<200).map { try harness.send($0.isMultiple(of: 2) ? "pool.exit" : "pool.die", [9]) }
            for id in ids { #expect(try await harness.failure(of: id).type == "WorkerLostError") }
            try await eventually("four are up again") {
                let children = harness.worker.pool.children
                return children.count == 4 && children.allSatisfy { $0.phase == .idle }
            }
            #expect(harness.worker.statistics.childDeaths == 200)
            try await eventually("no zombie is left, of other tests either") { OwnProcess.zombies == 0 }
            // Other tests of this process have descriptors, too.
            #expect(OwnProcess.descriptors < before + 50)
            try await harness.queueIsEmpty()
        }
    }

    @Test("a child that dies idle, or goes deaf, is replaced")
    func idleDeath() async throws {
        try await PoolHarness.run(concurrency: 1) { harness in
            let pid = try #require(try await harness.result(of: harness.send("pool.pid")).result.intValue)
            kill(Int32(pid), SIGKILL)
            try await eventually("another one is there") {
                harness.worker.pool.children.contains { $0.pid != pid && $0.phase == .idle }
            }
            #expect(harness.logs.messages.contains { $0.hasSuffix("pid:\(pid) exited with 'signal 9 (SIGKILL)'") })
            let deaf = try harness.send("pool.deaf")
            #expect(try await harness.failure(of: deaf).type == "WorkerLostError")
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
        }
    }

    @Test("a child has no descriptors of the worker's but its own socket")
    func descriptors() async throws {
        let gate = open("/dev/null", O_RDONLY)
        defer { close(gate) }
        try await PoolHarness.run(concurrency: 1) { harness in
            let open = try await harness.result(of: harness.send("pool.descriptors")).result
            let numbers = try #require(open.arrayValue).compactMap(\.intValue)
            #expect(numbers.starts(with: [0, 1, 2, 3]))
            // The rest are the child's own: Dispatch's.
            #expect(numbers.count < 12)
            #expect(!numbers.contains(Int(gate)) || gate < 12)
        }
    }

    @Test("children end with their worker, however it ends and whatever they do")
    func orphans() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "pids")
        let worker = try ChildHandle.spawn(
            executable: PoolHarness.executable,
            name: "worker",
            title: "test",
            environment: "SWCELERY_TEST_LONE_WORKER=\(file.path)"
        )
        defer { worker.close() }
        var pids: [Int] = []
        try await eventually("its children are busy") {
            let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
            pids = text.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
            return pids.count == 2
        }
        #expect(pids.allSatisfy { OwnProcess.isAlive($0) })
        worker.kill()
        try await eventually("it has ended") { worker.collect() != nil }
        try await eventually("they have ended") { pids.allSatisfy { !OwnProcess.isAlive($0) } }
    }

    @Test("a task that brings down its process three times is failed and rejected for good")
    func poison() async throws {
        let broker = InMemoryBroker()
        try await WorkerHarness.run(
            PoolHarness.configuration(),
            celery: PoolHarness.celery(),
            broker: broker,
            register: { PoolTasks.register(in: &$0) }
        ) { harness in
            let id = try harness.send("pool.poison")
            let failure = try await harness.failure(of: id)
            #expect(failure.type == "WorkerLostError")
            #expect(failure.message.hasPrefix("Worker exited prematurely: exitcode 9, 3 times Job: "))
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.childDeaths == 3)
            #expect(harness.worker.statistics.started == 3)
            #expect(try harness.results(of: id).count == 1)
        }
    }

    @Test("a program that never becomes a child ends the worker with a clear error, and nothing is taken")
    func silentProgram() async throws {
        let broker = InMemoryBroker()
        let configuration = PoolHarness.configuration(executable: "/bin/cat")
        let harness = try WorkerHarness(
            configuration,
            celery: PoolHarness.celery { $0.workerProcAliveTimeout = .milliseconds(100) },
            broker: broker
        ) { PoolTasks.register(in: &$0) }
        broker.declareQueue(QueueDeclaration(name: "celery"))
        try harness.send("pool.add", [1, 2])
        let error = try await #require(throws: CeleryError.self) { try await harness.worker.run() }
        #expect(error.code == .childStartFailed)
        #expect(broker.messages(in: "celery").count == 1)
        #expect(harness.worker.statistics.started == 0)
        #expect(harness.worker.pool.children.isEmpty)
        #expect(harness.logs.messages.contains { $0.hasPrefix("No child process can be started") })
    }

    @Test("a warm shutdown lets busy children finish, and gives back the rest")
    func warmShutdown() async throws {
        let broker = InMemoryBroker()
        let harness = try WorkerHarness(PoolHarness.configuration(), celery: PoolHarness.celery(), broker: broker) {
            PoolTasks.register(in: &$0)
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        for _ in 0..<6 { try harness.send("pool.lateSleep", [0.5]) }
        try await eventually("two run") { harness.worker.statistics.started >= 2 }
        harness.worker.triggerShutdown()
        try await running.value
        let results = try broker.messages(in: WorkerHarness.replies).map { try ResultMessage(decoding: $0.body) }
        #expect(results.allSatisfy { $0.state == .success })
        #expect(results.count == harness.worker.statistics.started)
        #expect(broker.messages(in: "celery").count == 6 - results.count)
        #expect(harness.worker.pool.children.isEmpty)
    }

    @Test("a cold shutdown cancels what listens and kills what does not; late tasks go back")
    func coldShutdown() async throws {
        let broker = InMemoryBroker()
        var configuration = PoolHarness.configuration(concurrency: 3)
        configuration.cancellationTimeout = .seconds(4)
        let harness = try WorkerHarness(configuration, celery: PoolHarness.celery(), broker: broker) {
            PoolTasks.register(in: &$0)
        }
        let running = Task { try await harness.worker.run() }
        await harness.worker.waitUntilReady()
        let late = try harness.send("pool.lateSleep", [600])
        let early = try harness.send("pool.sleep", [600])
        let spinning = try harness.send("pool.spin")
        try await eventually("three run") { harness.worker.pool.children.filter { $0.phase == .busy }.count == 3 }
        harness.worker.triggerShutdown(.cold)
        try await running.value
        #expect(broker.messages(in: "celery").count == 1)
        #expect(try harness.results(of: late).isEmpty)
        #expect(try harness.results(of: early).map(\.state) == [.retry])
        let states = try harness.results(of: spinning).map(\.state)
        #expect(states == [.retry])
        #expect(harness.worker.pool.children.isEmpty)
    }

    @Test("grows and shrinks at run time")
    func resize() async throws {
        try await PoolHarness.run(concurrency: 1) { harness in
            harness.worker.resizePool(to: 3)
            try await eventually("three are up") {
                harness.worker.pool.children.filter { $0.phase == .idle }.count == 3
            }
            #expect(harness.worker.pool.concurrency == 3)
            let ids = try (0..<3).map { _ in try harness.send("pool.sleep", [0.3]) }
            try await eventually("three run") { harness.worker.statistics.started >= 3 }
            harness.worker.resizePool(to: 1)
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            try await eventually("one is left") { harness.worker.pool.children.count == 1 }
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
        }
    }

    @Test("follows the work within its bounds")
    func autoscale() async throws {
        var configuration = PoolHarness.configuration()
        configuration.autoscale = Autoscale(max: 3, min: 1, keepalive: .milliseconds(500))
        try await WorkerHarness.run(
            configuration,
            celery: PoolHarness.celery(),
            register: { PoolTasks.register(in: &$0) }
        ) { harness in
            #expect(harness.worker.pool.concurrency == 1)
            let ids = try (0..<6).map { _ in try harness.send("pool.sleep", [0.2]) }
            for id in ids { #expect(try await harness.result(of: id).state == .success) }
            try await eventually("there is one") {
                harness.worker.pool.concurrency == 1 && harness.worker.pool.children.count == 1
            }
            #expect((2...3).contains(harness.worker.statistics.childStarts))
            #expect(harness.logs.messages.contains { $0.hasPrefix("Scaling up ") })
            #expect(harness.logs.messages.contains { $0.hasPrefix("Scaling down ") })
        }
    }
}
