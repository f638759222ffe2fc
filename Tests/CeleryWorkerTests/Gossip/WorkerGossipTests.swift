import AMQP
import CeleryProtocol
import CeleryTestKit
import Synchronization
import Testing

@testable import Celery
@testable import CeleryWorker

/// Workers that know of each other: revokes, nodes and elections over a broker in memory.
@Suite("Worker: others of its fleet")
struct WorkerGossipTests {
    private static func configuration(_ name: String) -> WorkerConfiguration {
        WorkerConfiguration(
            queues: [name],
            concurrency: 1,
            hostname: "\(name)@h",
            heartbeatInterval: .milliseconds(200)
        )
    }

    private static func run(
        _ name: String,
        on broker: InMemoryBroker,
        celery: CeleryConfiguration = CeleryConfiguration(),
        register: (inout TaskRegistry) -> Void = { _ in },
        _ body: (WorkerHarness) async throws -> Void
    ) async throws {
        try await WorkerHarness.run(configuration(name), celery: celery, broker: broker) { tasks in
            tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
            register(&tasks)
        } _: {
            try await body($0)
        }
    }

    private static func command(_ request: ControlRequest, on broker: InMemoryBroker) throws {
        try broker.publish(
            OutgoingMessage(
                exchange: "celery.pidbox",
                routingKey: "",
                properties: request.properties(),
                body: request.encodedBody()
            )
        )
    }

    @Test("each start shares what is revoked, in both directions")
    func revokes() async throws {
        let broker = InMemoryBroker(isShared: true)
        try await Self.run("a", on: broker) { a in
            #expect(a.logs.messages.contains("mingle: all alone"))
            a.worker.revoke(["known-to-a"])
            try await Self.run("b", on: broker) { b in
                #expect(b.worker.revokedIDs == ["known-to-a"])
                let messages = b.logs.messages.filter { $0.hasPrefix("mingle: ") && !$0.contains("processing") }
                #expect(
                    messages == [
                        "mingle: searching for neighbors", "mingle: sync with 1 nodes", "mingle: sync complete",
                    ]
                )
                let ready = try #require(b.logs.messages.firstIndex(of: "b@h ready."))
                let complete = try #require(b.logs.messages.firstIndex(of: "mingle: sync complete"))
                #expect(complete < ready)
                #expect(a.logs.messages.contains("sync with b@h"))
                try b.send("proj.add", [1, 2], options: TaskOptions(queue: "b", taskID: "known-to-a"))
                #expect(try await b.result(of: "known-to-a").state == .revoked)
                b.worker.revoke(["known-to-b"])
                broker.failConnections()
                // Both ask each other when they are back; who is first is chance.
                try await eventually("the other worker knows") { a.worker.revokedIDs.contains("known-to-b") }
            }
        }
    }

    @Test("nodes come, and go")
    func nodes() async throws {
        let broker = InMemoryBroker(isShared: true)
        try await Self.run("a", on: broker) { a in
            try await Self.run("b", on: broker) { b in
                try await eventually("a knows b") { a.worker.neighbors == ["b@h"] }
                try await eventually("b knows a") { b.worker.neighbors == ["a@h"] }
                #expect(a.logs.messages.contains("b@h joined the party"))
                let clock = a.worker.parts.clock.value
                b.worker.parts.clock.adjust(clock + 1_000_000)
                try await eventually("the clock follows") { a.worker.parts.clock.value > clock + 1_000_000 }
            }
            try await eventually("b is gone") { a.worker.neighbors.isEmpty }
            try await eventually("its end is heard") { a.logs.messages.contains("b@h left") }
        }
    }

    @Test("one worker wins an election about a topic of the application's own")
    func ownTopic() async throws {
        let broker = InMemoryBroker(isShared: true)
        let winners = Mutex<[String]>([])
        func register(_ name: String) -> (inout TaskRegistry) -> Void {
            { tasks in
                tasks.election("leader") { action in
                    winners.withLock { $0.append("\(name) \(action["reason"]?.stringValue ?? "")") }
                }
            }
        }
        try await Self.run("a", on: broker, register: register("a")) { a in
            try await Self.run("b", on: broker, register: register("b")) { b in
                try await eventually("they know each other") {
                    a.worker.neighbors == ["b@h"] && b.worker.neighbors == ["a@h"]
                }
                let request = ControlRequest(
                    "election",
                    arguments: ["id": "e1", "topic": "leader", "action": ["reason": "start"]]
                )
                try Self.command(request, on: broker)
                try await eventually("both know the winner") {
                    [a, b].allSatisfy { $0.logs.messages.contains { $0.contains("elect") && $0.contains("'e1'") } }
                }
                try await eventually("the winner acts") { !winners.withLock { $0.isEmpty } }
                let won = [a, b].filter { $0.logs.messages.contains("I won the election 'e1'") }
                #expect(won.count == 1)
            }
        }
        #expect(winners.withLock { $0.count } == 1)
        #expect(winners.withLock { $0.first?.hasSuffix("start") } == true)
    }

    @Test("the only worker sends the task that an election is about")
    func taskTopic() async throws {
        let broker = InMemoryBroker(isShared: true)
        try await Self.run("a", on: broker) { a in
            let signature: JSONValue = [
                "task": "proj.add", "args": [2, 3], "kwargs": [:],
                "options": ["queue": "a", "task_id": "the-task", "reply_to": .string(WorkerHarness.replies)],
                "subtask_type": .null, "immutable": false,
            ]
            try Self.command(
                ControlRequest("election", arguments: ["id": "e1", "topic": "task", "action": signature]),
                on: broker
            )
            try await eventually("the task has run") { a.worker.statistics.succeeded == 1 }
            #expect(a.logs.messages.contains("I won the election 'e1'"))
            try Self.command(
                ControlRequest("election", arguments: ["id": "e2", "topic": "unknown", "action": .null]),
                on: broker
            )
            try await eventually("an unknown topic is told") {
                a.logs.messages.contains("Unknown election topic 'unknown'")
            }
            try Self.command(
                ControlRequest("election", arguments: ["id": "e3", "topic": "task", "action": 7]),
                on: broker
            )
            try await eventually("a bad action is told") { a.logs.messages.contains("Could not call task") }
        }
    }

    @Test("what is no event is no obstacle")
    func strangeEvents() async throws {
        let broker = InMemoryBroker(isShared: true)
        try await Self.run("a", on: broker) { a in
            try await eventually("the exchange is there") { broker.declaration(ofExchange: "celeryev") != nil }
            let elect: JSONValue = ["type": "worker-elect", "hostname": "x@h", "id": "e1"]
            let bodies = [
                Array("{".utf8), JSONValue.array([]).serialized(), JSONValue.int(7).serialized(),
                JSONValue.array([.int(7)]).serialized(), elect.serialized(),
            ]
            for body in bodies {
                try broker.publish(
                    OutgoingMessage(
                        exchange: "celeryev",
                        routingKey: "worker.strange",
                        properties: EventMessage.properties(hostname: "x@h"),
                        body: body
                    )
                )
            }
            let event = EventMessage(type: "worker-heartbeat", hostname: "y@h", clock: 900, fields: ["freq": 60])
            try broker.publish(
                OutgoingMessage(
                    exchange: "celeryev",
                    routingKey: "worker.heartbeat",
                    properties: EventMessage.properties(hostname: "y@h"),
                    body: event.encoded()
                )
            )
            try await eventually("the good one is read") { a.worker.neighbors == ["y@h"] }
            #expect(a.worker.parts.clock.value > 900)
            #expect(a.logs.messages.contains("election request missing field"))
        }
    }

    @Test("without either nothing is asked, and nobody listened to")
    func without() async throws {
        let broker = InMemoryBroker(isShared: true)
        var configuration = Self.configuration("a")
        configuration.mingles = false
        configuration.gossips = false
        try await WorkerHarness.run(configuration, broker: broker) { _ in
        } _: { a in
            #expect(a.worker.parts.gossip == nil)
            #expect(!a.logs.messages.contains { $0.hasPrefix("mingle") })
        }
    }
}
