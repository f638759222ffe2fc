import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Testing

@Suite("Process pool: running")
struct ProcessPoolTests {
    @Test("runs tasks in child processes, and tells which")
    func success() async throws {
        try await PoolHarness.run { harness in
            let ids = try (0..<50).map { try harness.send("pool.add", [.int($0), 1]) }
            for (number, id) in ids.enumerated() {
                #expect(try await harness.result(of: id).result == .int(number + 1))
            }
            let pid = try await harness.result(of: harness.send("pool.pid")).result.intValue
            #expect(pid != Int(ProcessInfo.processInfo.processIdentifier))
            #expect(harness.worker.pool.children.contains { $0.pid == pid })
            #expect(harness.worker.pool.children.count == 2)
            let tracked = try harness.send("pool.tracked")
            let child = try await harness.result(of: tracked).result
            let started = try #require(try harness.results(of: tracked).first)
            #expect(started.state == .started)
            #expect(started.result == ["pid": child, "hostname": "pool@test"])
            try await harness.queueIsEmpty()
        }
    }

    @Test("shows the body what it would see in the worker's own process")
    func context() async throws {
        try await PoolHarness.run { harness in
            var options = TaskOptions()
            options.headers = ["x-mine": .string("yes")]
            options.priority = 5
            let id = try harness.send("pool.context", options: options)
            let seen = try await harness.result(of: id).result
            #expect(seen == [.string(id), "pool@test", "celery", "yes", "5"])
        }
    }

    @Test("passes on every outcome")
    func outcomes() async throws {
        try await PoolHarness.run { harness in
            let failed = try await harness.failure(of: harness.send("pool.fail"))
            #expect(failed == ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["no"]))
            #expect(try await harness.result(of: harness.send("pool.retry")).result == 2)
            #expect(try await harness.failure(of: harness.send("pool.reject")).type == "Reject")
            let ignored = try harness.send("pool.ignore")
            try await eventually("it is ignored") { harness.worker.statistics.ignored == 1 }
            #expect(try harness.results(of: ignored).isEmpty)
            let large = try await harness.result(of: harness.send("pool.text", [4_000_000]))
            #expect(large.result.stringValue?.utf8.count == 4_000_000)
            let echoed = try harness.send("pool.add", [.string(String(repeating: "y", count: 3_000_000)), 1])
            #expect(try await harness.failure(of: echoed).type == "TypeError")
        }
    }

    @Test("sends states and tasks on behalf of its children")
    func talking() async throws {
        try await PoolHarness.run { harness in
            let progress = try harness.send("pool.progress", [20])
            #expect(try await harness.result(of: progress).result == 20)
            let states = try harness.results(of: progress).filter { $0.state == .custom("PROGRESS") }
            #expect(states.map(\.result) == (1...20).map { ["step": .int($0)] })

            let parent = try await harness.result(of: harness.send("pool.parent"))
            let child = try #require(parent.result.stringValue)
            #expect(parent.children == [[[.string(child), .null], .null]])
            try await eventually("the child has run") { harness.worker.statistics.succeeded == 3 }
        }
    }
}

@Suite("Process pool: deaths")
struct ProcessPoolDeathTests {
    @Test(
        "a death fails the task that has caused it, and no other",
        arguments: [
            ("pool.exit", [3], "exitcode 3"), ("pool.exit", [0], "exitcode 0"), ("pool.die", [9], "signal 9 (SIGKILL)"),
            ("pool.trap", [], nil), ("pool.overflow", [], "signal 11 (SIGSEGV)"),
        ] as [(String, [JSONValue], String?)]
    )
    func death(task: String, args: [JSONValue], status: String?) async throws {
        try await PoolHarness.run(concurrency: 4) { harness in
            let others = try (0..<20).map { try harness.send("pool.sleep", [.double(0.02 * Double($0 % 3))]) }
            let id = try harness.send(task, args)
            let failure = try await harness.failure(of: id)
            #expect(failure.type == "WorkerLostError")
            #expect(failure.module == "billiard.exceptions")
            #expect(failure.message.hasPrefix("Worker exited prematurely: \(status ?? "signal")"))
            #expect(failure.message.contains(" Job: "))
            #expect(failure.message.hasSuffix("."))
            #expect(try await harness.result(of: id).traceback == nil)
            for other in others { #expect(try await harness.result(of: other).state == .success) }
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
            try await harness.queueIsEmpty()
            #expect(harness.worker.statistics.childDeaths == 1)
        }
    }
}

@Suite("Process pool: limits")
struct ProcessPoolLimitTests {
    @Test("a soft limit cancels a body that listens, even one that blocks its thread")
    func softLimit() async throws {
        try await PoolHarness.run { harness in
            var options = TaskOptions()
            options.softTimeLimit = .milliseconds(100)
            let sleeping = try harness.send("pool.sleep", [60], options: options)
            let polite = try harness.send("pool.polite", options: options)
            #expect(try await harness.failure(of: sleeping).type == "SoftTimeLimitExceeded")
            #expect(try await harness.failure(of: polite).type == "SoftTimeLimitExceeded")
            #expect(harness.worker.statistics.childDeaths == 0)
        }
    }

    @Test("a hard limit ends a body that listens to nothing", arguments: ["pool.spin", "pool.block"])
    func hardLimit(task: String) async throws {
        try await PoolHarness.run { harness in
            var options = TaskOptions()
            options.softTimeLimit = .milliseconds(50)
            options.timeLimit = .seconds(1)
            let id = try harness.send(task, task == "pool.block" ? [600] : [], options: options)
            let failure = try await harness.failure(of: id)
            #expect(failure == ExceptionInfo(type: "TimeLimitExceeded", module: "billiard.exceptions", arguments: [1]))
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
            try await harness.queueIsEmpty()
        }
    }

    @Test("a revoke with termination ends the child, if need be by force", arguments: ["pool.spin", "pool.immune"])
    func termination(task: String) async throws {
        try await PoolHarness.run(concurrency: 1) { harness in
            let id = try harness.send(task)
            try await eventually("it runs") { harness.worker.pool.children.contains { $0.taskID == id } }
            try await eventually("it has said so") {
                try task == "pool.spin" || !harness.results(of: id).isEmpty
            }
            harness.worker.revoke([id], terminate: true, signal: "SIGTERM")
            let result = try await harness.result(of: id)
            #expect(result.state == .revoked)
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
            #expect(harness.worker.statistics.childDeaths == 0)
            try await harness.queueIsEmpty()
        }
    }

    @Test("a child that grows too large in its task is killed, and the task is told why")
    func memoryLimit() async throws {
        try await PoolHarness.run {
            $0.workerMemoryLimitPerChild = 400 << 10
        } _: { harness in
            let id = try harness.send("pool.leak", [4_096])
            let failure = try await harness.failure(of: id)
            #expect(failure.type == "WorkerLostError")
            #expect(failure.message.contains("signal 9 (SIGKILL), killed as its memory was beyond the limit"))
            #expect(try await harness.result(of: harness.send("pool.add", [1, 2])).result == 3)
        }
    }

    @Test("a child is replaced after so many tasks, and after one that has made it too large")
    func retirement() async throws {
        try await PoolHarness.run(concurrency: 1) {
            $0.workerMaxTasksPerChild = 3
        } _: { harness in
            var pids: [Int] = []
            for _ in 0..<9 {
                pids.append(try await harness.result(of: harness.send("pool.pid")).result.intValue ?? 0)
            }
            #expect(Set(pids).count == 3)
            #expect(pids == pids.sorted { pids.firstIndex(of: $0) ?? 0 < pids.firstIndex(of: $1) ?? 0 })
            #expect(harness.worker.statistics.childDeaths == 0)
            try await eventually("three are retired") { harness.worker.statistics.childrenRetired == 3 }
        }
        try await PoolHarness.run(concurrency: 1) {
            $0.workerMaxMemoryPerChild = 1
        } _: { harness in
            let first = try await harness.result(of: harness.send("pool.pid")).result
            let second = try await harness.result(of: harness.send("pool.pid")).result
            #expect(first != second)
            let words = "child process exiting after exceeding memory limit ("
            #expect(harness.logs.messages.contains { $0.hasPrefix(words) })
        }
    }
}
