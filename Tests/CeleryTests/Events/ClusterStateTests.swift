import CeleryProtocol
import Testing

@testable import Celery

@Suite("Cluster state")
struct ClusterStateTests {
    private func task(_ kind: String, id: String = "t", _ time: Int, _ more: JSONObject = [:]) -> ClusterEvent {
        let fields: JSONObject = ["uuid": .string(id)]
        return event("task-\(kind)", time, fields.merging(more) { $1 })
    }

    private func event(_ type: String, _ time: Int, _ more: JSONObject) -> ClusterEvent {
        let common: JSONObject = [
            "hostname": "w", "pid": .int(1), "clock": .int(time), "timestamp": .double(Double(time)),
            "local_received": .double(Double(time)), "type": .string(type),
        ]
        return ClusterEvent(type: type, fields: common.merging(more) { $1 })
    }

    private func heartbeat(_ time: Int, frequency: Double = 2) -> ClusterEvent {
        event("worker-heartbeat", time, ["freq": .double(frequency), "active": .int(3), "processed": .int(7)])
    }

    @Test(arguments: ClusterStateVectors.lines)
    func tasksAreMergedAsCeleryDoes(_ line: String) throws {
        let parts = line.split(separator: "|")
        var state = ClusterState()
        for (index, kind) in try #require(parts.first).split(separator: " ").enumerated() {
            let number = index + 1
            let more: JSONObject =
                switch kind {
                case "received": ["name": .string("n\(number)"), "args": .string("(\(number))")]
                case "sent": ["name": .string("s\(number)"), "queue": .string("q\(number)")]
                case "succeeded": ["result": .string("r\(number)")]
                case "failed", "retried": ["exception": .string("e\(number)")]
                default: [:]
                }
            state.apply(task(String(kind), number, more))
        }
        let found = try #require(state.task("t"))
        let fields = ["name", "queue", "result", "exception"].map { found.fields[$0]?.stringValue ?? "-" }
        let text = "\(found.state) \(Int(found.timestamp ?? 0)) \(found.clock) \(fields.joined(separator: " "))"
        #expect(parts.count == 2)
        #expect(text == parts.last.map { String($0.drop { $0 == " " }) })
    }

    @Test func workersLiveForTwoOfTheirIntervals() throws {
        var state = ClusterState()
        state.apply(heartbeat(100))
        let worker = try #require(state.worker("w"))
        #expect(worker.isAlive(at: 103.9))
        #expect(!worker.isAlive(at: 104))
        #expect(worker.active == 3)
        #expect(worker.processed == 7)
        state.apply(event("worker-offline", 101, [:]))
        #expect(state.worker("w")?.isAlive(at: 101) == false)
        state.apply(event("worker-online", 102, ["freq": .double(2)]))
        #expect(state.worker("w")?.isAlive(at: 103) == true)
    }

    @Test func aWorkerIsAliveByItsTasks() {
        var state = ClusterState()
        state.apply(task("received", 10))
        #expect(state.worker("w")?.isAlive(at: 100) == true)
        #expect(state.worker("w")?.isAlive(at: 131) == false)
        #expect(state.taskCount == 1)
    }

    @Test func anUnknownNodesFarewellTellsNothing() {
        var state = ClusterState()
        state.apply(event("worker-offline", 1, [:]))
        #expect(state.workers.isEmpty)
        #expect(state.eventCount == 1)
    }

    @Test func memoryIsBounded() {
        var limits = ClusterState.Limits()
        limits.tasks = 3
        limits.workers = 2
        limits.fieldsPerTask = 2
        limits.bytesPerText = 4
        var state = ClusterState(limits: limits)
        for number in 1...5 {
            state.apply(task("received", id: "t\(number)", number, ["hostname": .string("w\(number)")]))
        }
        state.apply(task("started", id: "t3", 6, ["a": "123456789", "b": [.int(1)], "c": "no room"]))
        #expect(state.tasks.map(\.id) == ["t3", "t5", "t4"])
        #expect(state.forgottenTaskCount == 2)
        #expect(state.task("t3")?.fields == ["a": "1234…", "b": "[1]"])
        #expect(state.workers.count == 2)
    }

    @Test func whatLacksItsIdentityIsCounted() {
        var state = ClusterState()
        state.apply(ClusterEvent(type: "task-started", fields: ["hostname": "w", "timestamp": .int(1)]))
        state.apply(ClusterEvent(type: "worker-online", fields: ["hostname": "w"]))
        state.apply(ClusterEvent(type: "other-thing", fields: [:]))
        #expect(state.eventCount == 3)
        #expect(state.ignoredCount == 2)
        #expect(state.rememberedTaskCount == 0)
        #expect(state.workers.isEmpty)
    }

    @Test func hostileNumbersDoNoHarm() {
        var state = ClusterState()
        state.apply(heartbeat(1, frequency: .infinity))
        state.apply(heartbeat(2, frequency: 1e300))
        state.apply(heartbeat(3, frequency: -5))
        #expect(state.worker("w")?.frequency == 86_400)
    }
}

@Suite("Recent table")
struct RecentTableTests {
    @Test func theOneUntouchedForLongestGoes() {
        var table = RecentTable<Int>(capacity: 2)
        table.update("a", fresh: 1) { _ in }
        table.update("b", fresh: 2) { _ in }
        table.update("a", fresh: 0) { $0 += 10 }
        table.update("c", fresh: 3) { _ in }
        #expect(Array(table.newestFirst) == [3, 11])
        #expect(table["b"] == nil)
        #expect(table.evictedCount == 1)
        table.removeAll()
        #expect(table.count == 0)
        #expect(Array(table.newestFirst).isEmpty)
    }

    @Test func behavesAsAListThatIsSearched() {
        var generator = SplitMix(state: 6)
        var table = RecentTable<String>(capacity: 8)
        var model: [String] = []
        for _ in 0..<2_000 {
            let key = "k\(generator.next() % 20)"
            table.update(key, fresh: key) { _ in }
            model.removeAll { $0 == key }
            model.insert(key, at: 0)
            model = Array(model.prefix(8))
            #expect(Array(table.newestFirst) == model)
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
