import AMQP
import CeleryProtocol
import CeleryTestKit
import Logging
import Synchronization
import Testing

@testable import Celery

@Suite("Event receiver", .timeLimit(.minutes(2)))
struct EventReceiverTests {
    private let broker = InMemoryBroker()
    private let log = LogRecorder()

    private func receiver(bufferSize: Int = 100) throws -> EventReceiver {
        try EventReceiver(broker: broker, bufferSize: bufferSize, logger: log.logger())
    }

    /// Whether a receiver consumes.
    private var consumes: Bool {
        broker.queueNames.contains { $0.hasPrefix("celeryev.") && broker.consumerCount(of: $0) == 1 }
    }

    private func publish(_ body: String, contentType: String = "application/json") throws {
        var properties = BasicProperties()
        properties.contentType = contentType
        try broker.publish(
            OutgoingMessage(
                exchange: "celeryev",
                routingKey: "task.multi",
                mandatory: false,
                properties: properties,
                body: Array(body.utf8)
            )
        )
    }

    /// Types of the first events of a loop that has begun before something is published.
    private func types(_ count: Int, publishing: () throws -> Void) async throws -> ([String], EventReceiver) {
        let receiver = try receiver()
        let reading = Task {
            var types: [String] = []
            for try await event in receiver {
                types.append(event.type)
                if types.count == count { break }
            }
            return types
        }
        #expect(await eventually { consumes })
        try publishing()
        return (try await reading.value, receiver)
    }

    @Test func readsMapsAndListsAndSkipsTheRest() async throws {
        let (types, receiver) = try await types(3) {
            try publish(#"{"type": "worker-online", "hostname": "w"}"#)
            try publish("{")
            try publish(#"{"type": "worker-secret"}"#, contentType: "application/x-python-serialize")
            try publish(#"[{"type": "task-received"}, {"no": "type"}, 5, {"type": "task-started"}]"#)
        }
        #expect(types == ["worker-online", "task-received", "task-started"])
        #expect(receiver.counters.malformed == 4)
        #expect(await eventually { broker.openConnectionCount == 0 })
        #expect(!broker.queueNames.contains { $0.hasPrefix("celeryev.") })
    }

    @Test func theQueueIsDeclaredAsCelerysIs() async throws {
        _ = try await types(1) {
            let name = try #require(broker.queueNames.first { $0.hasPrefix("celeryev.") })
            #expect(
                broker.declaration(ofQueue: name)
                    == QueueDeclaration(
                        name: name,
                        durable: false,
                        exclusive: true,
                        autoDelete: true,
                        arguments: ["x-expires": 60_000, "x-message-ttl": 5_000]
                    )
            )
            #expect(broker.isBound(name, to: "celeryev", routingKey: "#"))
            #expect(broker.declaration(ofExchange: "celeryev")?.type == "topic")
            try publish(#"{"type": "x"}"#)
        }
    }

    @Test func asksWorkersForAHeartbeat() async throws {
        broker.declareExchange(ExchangeDeclaration(name: "celery.pidbox", type: "fanout", durable: false))
        broker.declareQueue(QueueDeclaration(name: "box"), boundTo: "celery.pidbox", routingKey: "")
        _ = try await types(1) { try publish(#"{"type": "x"}"#) }
        let request = try #require(broker.messages(in: "box").first)
        #expect(try ControlRequest(decoding: request.properties, body: request.body).method == "heartbeat")
    }

    @Test func connectsAnewAfterALoss() async throws {
        let receiver = try receiver()
        let reading = Task {
            var iterator = receiver.makeAsyncIterator()
            return try await iterator.next()?.type
        }
        #expect(await eventually { broker.queueNames.contains { $0.hasPrefix("celeryev.") } })
        broker.failConnections()
        #expect(await eventually { broker.connectionCount == 2 && consumes })
        try publish(#"{"type": "after-the-loss"}"#)
        #expect(try await reading.value == "after-the-loss")
    }

    @Test func aCancelledLoopEnds() async throws {
        let receiver = try receiver()
        let reading = Task {
            for try await _ in receiver {}
        }
        #expect(await eventually { broker.openConnectionCount == 1 })
        reading.cancel()
        try await reading.value
        #expect(await eventually { broker.openConnectionCount == 0 })
    }

    @Test func givesUpWhereThatIsWanted() async throws {
        var configuration = CeleryConfiguration()
        configuration.brokerConnectionRetryOnStartup = false
        broker.refusesConnections = true
        let receiver = try EventReceiver(broker: broker, configuration: configuration, logger: log.logger())
        let error = await #expect(throws: CeleryError.self) { try await receiver.first { _ in false } }
        #expect(error?.code == .connection)
    }

    @Test func contradictorySettingsAreRefused() {
        var configuration = CeleryConfiguration()
        configuration.eventQueueDurable = true
        let error = #expect(throws: CeleryError.self) {
            try EventReceiver(broker: broker, configuration: configuration, logger: log.logger())
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func aLaggingReaderMissesTheOldest() async throws {
        let inbox = EventInbox(maxMessages: 2, maxBytes: 100)
        func message(_ number: UInt64, size: Int = 1) -> IncomingMessage {
            IncomingMessage(
                deliveryTag: number,
                routingKey: "",
                properties: BasicProperties(),
                body: Array(repeating: 0, count: size)
            )
        }
        inbox.put([message(1), message(2), message(3)])
        #expect(inbox.takeDropped() == 1)
        inbox.put([message(4, size: 100)])
        #expect(inbox.takeDropped() == 2)
        inbox.finish(.success(()))
        guard case .message(let left) = try await inbox.next() else {
            Issue.record("nothing is left")
            return
        }
        #expect(left.deliveryTag == 4)
        guard case .end = try await inbox.next() else {
            Issue.record("there is no end")
            return
        }
    }

    @Test func clocksAndTimesAreMadeComparable() throws {
        let localizer = EventLocalizer(utcOffset: -1, clock: LogicalClock(5))
        let sent = try #require(localizer.event(["type": "task-sent", "clock": .int(900)], now: 1))
        #expect(sent.clock == 4)
        let received = try #require(
            localizer.event(
                ["type": "task-received", "clock": .int(50), "utcoffset": .double(-2), "timestamp": .double(100)],
                now: 7
            )
        )
        #expect(received.clock == 50)
        #expect(received.timestamp == 3_700)
        #expect(received.receivedAt == 7)
        #expect(localizer.event(["type": "custom"], now: 1)?.clock == 52)
        #expect(localizer.event(["type": ""], now: 1) == nil)
        #expect(localizer.event("text", now: 1) == nil)
    }
}
