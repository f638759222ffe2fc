import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("The mailbox of remote control")
struct ControlMailboxTests {
    @Test("Its queue is declared as Celery declares it")
    func declaration() async throws {
        try await ControlHarness.run { harness in
            let name = "w1@worker.example.celery.pidbox"
            let queue = try #require(harness.broker.declaration(ofQueue: name))
            #expect(queue.exclusive && queue.autoDelete && !queue.durable)
            #expect(queue.arguments["x-expires"] == 10_000 && queue.arguments["x-message-ttl"] == 300_000)
            let exchange = try #require(harness.broker.declaration(ofExchange: "celery.pidbox"))
            #expect(exchange.type == "fanout" && !exchange.durable)
            #expect(harness.broker.isBound(name, to: "celery.pidbox", routingKey: ""))
        }
    }

    @Test("There is none where remote control is turned off")
    func off() async throws {
        var celery = CeleryConfiguration()
        celery.workerEnableRemoteControl = false
        try await WorkerHarness.run(ControlHarness.configuration(), celery: celery, register: { _ in }) { harness in
            #expect(!harness.broker.queueNames.contains { $0.hasSuffix(".pidbox") })
        }
    }

    @Test("A second worker of the same node name ends with an error")
    func clash() async throws {
        try await ControlHarness.run { harness in
            let second = try WorkerHarness(
                ControlHarness.configuration(),
                celery: CeleryConfiguration(),
                broker: harness.broker,
                register: { _ in }
            )
            let error = await #expect(throws: CeleryError.self) { try await second.worker.run() }
            #expect(error?.code == .topology)
            #expect(error?.message.contains("node name") == true)
            #expect(try await harness.ask("ping") == ["ok": "pong"])
        }
    }

    @Test("It comes back after a lost connection")
    func reconnect() async throws {
        try await ControlHarness.run { harness in
            harness.broker.failConnections()
            try await eventually("a reconnect") { harness.worker.statistics.reconnects > 0 }
            try await harness.prepare()
            #expect(try await harness.ask("ping") == ["ok": "pong"])
        }
    }

    @Test("What cannot be read is logged, and ends nothing")
    func garbage() async throws {
        try await ControlHarness.run { harness in
            var properties = ControlRequest("ping").properties()
            for body in ["", "{", "[]", "{\"method\": 5}"] {
                try harness.broker.publish(Self.message(properties, Array(body.utf8)))
            }
            properties.contentType = "application/x-python-serialize"
            try harness.broker.publish(Self.message(properties, [0x80]))
            try harness.send(ControlRequest("ping", pattern: "(", matcher: "pcre"))
            try harness.send(ControlRequest("ping", pattern: "*", matcher: "sql"))
            #expect(try await harness.ask("ping") == ["ok": "pong"])
            #expect(harness.base.logs.messages.count { $0.hasPrefix("Control command error") } == 7)
        }
    }

    private static func message(_ properties: BasicProperties, _ body: [UInt8]) -> OutgoingMessage {
        OutgoingMessage(exchange: "celery.pidbox", routingKey: "", properties: properties, body: body)
    }

    @Test("Replies go nowhere but to the exchange of replies")
    func elsewhere() async throws {
        try await ControlHarness.run { harness in
            let address = ControlRequest.ReplyAddress(exchange: "", routingKey: WorkerHarness.replies)
            try harness.send(ControlRequest("ping", ticket: "t", replyTo: address))
            #expect(try await harness.ask("ping") == ["ok": "pong"])
            #expect(harness.broker.messages(in: WorkerHarness.replies).isEmpty)
        }
    }

    @Test("A flood is bounded")
    func flood() {
        let inbox = ControlInbox(maxMessages: 10, maxBytes: 50)
        func messages(_ count: Int, bytes: Int) -> [IncomingMessage] {
            (0..<count).map { _ in
                IncomingMessage(
                    deliveryTag: 1,
                    routingKey: "",
                    properties: BasicProperties(),
                    body: [UInt8](repeating: 0, count: bytes)
                )
            }
        }
        #expect(inbox.put(messages(12, bytes: 1)) == 2)
        let sized = ControlInbox(maxMessages: 10, maxBytes: 50)
        #expect(sized.put(messages(3, bytes: 20)) == 1)
        sized.close()
        #expect(sized.put(messages(1, bytes: 1)) == 0)
    }

    @Test("An inbox gives what it has in order, and ends when it is closed")
    func inboxOrder() async {
        let inbox = ControlInbox()
        let keys = ["a", "b", "c"]
        let dropped = inbox.put(
            keys.map { IncomingMessage(deliveryTag: 1, routingKey: $0, properties: BasicProperties(), body: []) }
        )
        #expect(dropped == 0)
        for key in keys { #expect(await inbox.next()?.routingKey == key) }
        async let end = inbox.next()
        inbox.close()
        #expect(await end == nil)
    }

    @Test("Commands are refused by name, by alias, and a revoke that ends tasks as terminate")
    func refusals() async throws {
        var celery = CeleryConfiguration()
        celery.workerRefusedControlCommands = ["shutdown", "terminate", "conf"]
        try await ControlHarness.run(celery: celery) { harness in
            func refusal(_ name: String) -> JSONValue {
                ["error": .string("'\(name)' is refused by this worker (worker_refused_control_commands)")]
            }
            let shutdown = try await harness.ask("shutdown")
            #expect(shutdown == refusal("shutdown"))
            let settings = try await harness.ask("dump_conf")
            #expect(settings == refusal("conf"))
            let ending = try await harness.ask("revoke", ["task_id": "x", "terminate": true])
            #expect(ending == refusal("terminate"))
            #expect(harness.worker.revokedIDs.isEmpty)
            let revoke = try await harness.ask("revoke", ["task_id": "x"])
            #expect(revoke == ["ok": "tasks {'x'} flagged as revoked"])
            #expect(harness.base.logs.messages.contains { $0.contains("'shutdown' is refused") })
        }
    }
}

/// Commands of an application's own.
@Suite("An application's commands of remote control")
struct OwnCommandTests {
    private struct Threshold: Decodable {
        let queue: String
        let seconds: Double?
    }

    @Test("They get their arguments and the worker, and what they return or throw is the reply")
    func replies() async throws {
        try await ControlHarness.run { registry in
            registry.control("whoami") { arguments, worker in
                ["ok": .string("\(worker.hostname) \(arguments["x"]?.intValue ?? 0)")]
            }
            registry.control("threshold") { (arguments: Threshold, worker: Worker) in
                ["ok": "\(arguments.queue) \(arguments.seconds ?? 1.5)"]
            }
            registry.control("broken") { _, _ in throw TaskError(type: "ValueError", "it's broken") }
        } _: { harness in
            #expect(try await harness.ask("whoami", ["x": 7]) == ["ok": "w1@worker.example 7"])
            #expect(try await harness.ask("threshold", ["queue": "q", "seconds": 2]) == ["ok": "q 2.0"])
            #expect(try await harness.ask("threshold", ["queue": "q"]) == ["ok": "q 1.5"])
            let wrong = try await harness.ask("threshold", ["seconds": 2])
            #expect(wrong["error"]?.stringValue?.hasPrefix("TypeError(\"threshold() got wrong arguments") == true)
            #expect(try await harness.ask("broken") == ["error": "ValueError(\"it's broken\")"])
        }
    }

    @Test("One that takes its time holds up neither others nor tasks, and only so many run")
    func slow() async throws {
        let gate = TestGate()
        try await ControlHarness.run { registry in
            registry.control("slow") { _, _ in
                await gate.wait()
                return ["ok": "late"]
            }
        } _: { harness in
            for _ in 0..<OwnCommands.limit { try harness.send(ControlRequest("slow")) }
            #expect(try await harness.ask("ping") == ["ok": "pong"])
            let refused = try await harness.ask("slow")
            #expect(refused["error"]?.stringValue?.hasPrefix("RuntimeError") == true)
            gate.open()
            try await eventually("room") {
                try await harness.ask("slow") == ["ok": "late"]
            }
        }
    }

    @Test("A caller does not wait for ever")
    func patience() async throws {
        let own = OwnCommands(patience: .milliseconds(10), logger: LogRecorder().logger())
        let answer = Gate<ControlAnswer>()
        let gate = TestGate()
        let runs = own.run("stuck") {
            await gate.wait()
            return .ok("late")
        } onEnd: {
            answer.open($0)
        }
        #expect(runs)
        #expect(await answer.wait() == .error("TimeoutError('stuck did not end within 0.01 s')"))
        gate.open()
    }

    @Test("A name that is taken is reported")
    func taken() throws {
        for name in ["ping", "dump_conf"] {
            let error = #expect(throws: CeleryError.self) {
                try WorkerHarness(
                    ControlHarness.configuration(),
                    celery: CeleryConfiguration(),
                    broker: InMemoryBroker()
                ) { registry in
                    registry.control(name) { _, _ in .null }
                }
            }
            #expect(error?.code == .invalidConfiguration)
        }
    }
}
