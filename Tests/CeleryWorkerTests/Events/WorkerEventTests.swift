import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import PoolTasks
import Testing

@testable import CeleryWorker

@Suite("Worker: events")
struct WorkerEventTests {
    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("proj.late", arguments: "x", options: .init(acks: .late)) { (x: Int) in x }
        let strict = TaskRegistrationOptions(acks: .late, acksOnFailure: false)
        tasks.register("proj.failing", options: strict) { (context: TaskContext) -> Int in
            throw TaskError(type: "ValueError", "no")
        }
        tasks.register("proj.back", options: .init(acks: .late)) { (context: TaskContext) -> Int in
            if context.deliveryInfo.redelivered { return 1 }
            throw Reject("not now", requeue: true)
        }
        tasks.register("proj.silent", options: .init(sendEvents: false)) { (context: TaskContext) in 1 }
        tasks.register("proj.parent") { (context: TaskContext) in
            try await context.send("proj.silent", options: TaskOptions(priority: 3))
        }
    }

    private static func types(_ events: [EventMessage], of id: String) -> [String] {
        events.filter { $0.uuid == id }.map(\.type)
    }

    @Test("tells that the worker is there, and at its end that it goes, after everything else")
    func life() async throws {
        var configuration = WorkerConfiguration(concurrency: 2, hostname: "w1@h")
        configuration.heartbeatInterval = .milliseconds(100)
        let messages = try await EventHarness.run(configuration, register: Self.register) { harness in
            let id = try harness.base.send("proj.add", [1, 2])
            _ = try await harness.event("task-succeeded", of: id)
            _ = try await harness.event("worker-heartbeat")
        }
        let events = try EventHarness.events(messages)
        #expect(events.first?.type == "worker-online")
        #expect(events.last?.type == "worker-offline")
        #expect(events.last?.fields["processed"] == 1)
        #expect(events.allSatisfy { $0.hostname == "w1@h" })
        let clocks = events.compactMap(\.clock)
        #expect(Set(clocks).count == events.count, "each event has a time of its own")
    }

    @Test("without heartbeats and without -E nothing is sent")
    func silent() async throws {
        var configuration = WorkerConfiguration(concurrency: 2)
        configuration.sendsHeartbeats = false
        let celery = CeleryConfiguration()
        let messages = try await EventHarness.run(configuration, celery: celery, register: Self.register) { harness in
            let id = try harness.base.send("proj.add", [1, 2])
            _ = try await harness.base.result(of: id)
            #expect(harness.base.worker.statistics.sentEvents == 0)
        }
        #expect(messages.isEmpty)
    }

    @Test("can be switched on and off while the worker runs")
    func switches() async throws {
        try await EventHarness.run(celery: CeleryConfiguration(), register: Self.register) { harness in
            let before = try harness.base.send("proj.add", [1, 2])
            _ = try await harness.base.result(of: before)
            #expect(harness.events.enableTaskEvents())
            let during = try harness.base.send("proj.add", [1, 2])
            _ = try await harness.event("task-succeeded", of: during)
            #expect(harness.events.disableTaskEvents())
            let after = try harness.base.send("proj.add", [1, 2])
            _ = try await harness.base.result(of: after)
            let events = try harness.all()
            #expect(Self.types(events, of: before).isEmpty)
            #expect(Self.types(events, of: during) == ["task-received", "task-started", "task-succeeded"])
            #expect(Self.types(events, of: after).isEmpty)
        }
    }

    @Test("a task without events is silent")
    func silentTask() async throws {
        try await EventHarness.run(register: Self.register) { harness in
            let silent = try harness.base.send("proj.silent")
            let other = try harness.base.send("proj.add", [1, 2])
            _ = try await harness.event("task-succeeded", of: other)
            #expect(Self.types(try harness.all(), of: silent).isEmpty)
        }
    }

    @Test("a rejected message is told of, whatever made it so, and only if it was rejected")
    func rejections() async throws {
        try await EventHarness.run(register: Self.register) { harness in
            let failing = try harness.base.send("proj.failing")
            _ = try await harness.event("task-failed", of: failing)
            let back = try harness.base.send("proj.back")
            _ = try await harness.event("task-succeeded", of: back)
            let late = try harness.base.send("proj.late", [1])
            _ = try await harness.event("task-succeeded", of: late)
            let events = try harness.all()
            let begun = ["task-received", "task-started"]
            #expect(Self.types(events, of: failing) == begun + ["task-rejected", "task-failed"])
            #expect(Self.types(events, of: back) == begun + ["task-rejected"] + begun + ["task-succeeded"])
            #expect(Self.types(events, of: late) == begun + ["task-succeeded"])
            let requeue = events.filter { $0.type == "task-rejected" }.map { $0.fields["requeue"] }
            #expect(requeue == [false, true])
        }
    }

    @Test("a late task has succeeded when its result is there and its message acknowledged")
    func order() async throws {
        try await EventHarness.run(register: Self.register) { harness in
            harness.broker.holdsConfirms = true
            let id = try harness.base.send("proj.late", [1])
            try await eventually("its result") { try harness.base.results(of: id).count == 1 }
            _ = try await harness.event("task-started", of: id)
            #expect(!Self.types(try harness.all(), of: id).contains("task-succeeded"))
            harness.broker.holdsConfirms = false
            _ = try await harness.event("task-succeeded", of: id)
            #expect(harness.broker.unackedCount(of: "celery") == 0)
        }
    }

    @Test("what happens while the connection is down is told after it")
    func reconnect() async throws {
        let broker = EventHarness.broker()
        let gate = TestGate()
        defer { gate.open() }
        let celery = EventHarness.celery { $0.brokerConnectionRetry = true }
        try await WorkerHarness.run(celery: celery, broker: broker) { tasks in
            tasks.register("proj.wait") { (context: TaskContext) in await gate.wait() }
        } _: { base in
            let harness = EventHarness(base: base)
            let id = try base.send("proj.wait")
            _ = try await harness.event("task-started", of: id)
            _ = try await harness.event("worker-online")
            broker.refusesConnections = true
            broker.failConnections()
            try await eventually("the connection is lost") { !base.worker.parts.side.isConnected }
            gate.open()
            try await eventually("the task has ended") { base.worker.statistics.succeeded == 1 }
            #expect(!Self.types(try harness.all(), of: id).contains("task-succeeded"))
            broker.refusesConnections = false
            _ = try await harness.event("task-succeeded", of: id)
            #expect(try harness.all().count { $0.type == "worker-online" } == 2)
            #expect(base.worker.statistics.droppedEvents == 0)
        }
    }

    @Test("the tasks that a worker sends are told as sent, in the name of its process")
    func sent() async throws {
        let celery = EventHarness.celery { $0.taskSendSentEvent = true }
        try await EventHarness.run(celery: celery, register: Self.register) { harness in
            let parent = try harness.base.send("proj.parent")
            let child = try #require(await harness.base.result(of: parent).result.stringValue)
            let event = try await harness.event("task-sent", of: child)
            #expect(event.hostname == ProcessIdentity.origin)
            #expect(event.fields["parent_id"] == .string(parent))
            #expect(event.fields["root_id"] == .string(parent))
            #expect(event.fields["name"] == "proj.silent")
            #expect(event.fields["routing_key"] == "celery")
        }
    }

    @Test("a body in a child process sends events of its own")
    func child() async throws {
        let configuration = PoolHarness.configuration(concurrency: 1)
        let celery = PoolHarness.celery()
        try await EventHarness.run(configuration, celery: celery) {
            PoolTasks.register(in: &$0)
        } _: { harness in
            let id = try harness.base.send("pool.event")
            let pid = try await harness.base.result(of: id).result.intValue
            let event = try await harness.event("task-custom", of: id)
            #expect(event.fields == ["uuid": .string(id), "answer": 42])
            #expect(event.processID == pid)
            #expect(event.hostname == "pool@test")
        }
    }
}
