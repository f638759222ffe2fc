import AMQP
import CeleryProtocol
import CeleryTestKit
import Logging
import Synchronization
import Testing

@testable import Celery

@Suite("Control client", .timeLimit(.minutes(2)))
struct ControlClientTests {
    private let broker = InMemoryBroker()
    private let log = LogRecorder()

    /// Runs a body with a client and nodes that answer every request with what is given for them.
    private func withNodes(
        _ nodes: [(String, JSONValue)],
        _ body: (ControlClient, Requests) async throws -> Void
    ) async throws {
        let requests = Requests()
        let connection = try await broker.connect(.consume)
        let channel = try await connection.openChannel()
        try await channel.declareExchange(ExchangeDeclaration(name: "celery.pidbox", type: "fanout", durable: false))
        try await channel.declareExchange(ExchangeDeclaration(name: "reply.celery.pidbox", durable: false))
        for (node, value) in nodes {
            _ = try await channel.declareQueue(QueueDeclaration(name: "\(node).celery.pidbox", autoDelete: true))
            try await channel.bindQueue("\(node).celery.pidbox", to: "celery.pidbox", routingKey: "")
            _ = try await channel.consume("\(node).celery.pidbox", options: ConsumeOptions(noAck: true)) {
                [broker] event in
                guard case .deliveries(let messages) = event else { return }
                for message in messages {
                    guard let request = try? ControlRequest(decoding: message.properties, body: message.body) else {
                        continue
                    }
                    requests.add(request)
                    guard let address = request.replyTo else { continue }
                    let reply = ControlReply(node: node, value: value, ticket: request.ticket, clock: 7)
                    try? broker.publish(
                        OutgoingMessage(
                            exchange: address.exchange,
                            routingKey: address.routingKey,
                            properties: reply.properties(),
                            body: reply.encodedBody()
                        )
                    )
                }
            }
        }
        let client = try ControlClient(broker: broker, logger: log.logger())
        try await body(client, requests)
        await client.shutdown()
        await connection.close()
        #expect(await eventually { broker.openConnectionCount == 0 })
    }

    @Test func collectsRepliesUntilTheLimit() async throws {
        let nodes: [(String, JSONValue)] = [("a", ["ok": "pong"]), ("b", ["ok": "pong"])]
        try await withNodes(nodes) { client, requests in
            let seen = Mutex<[String]>([])
            let target = ControlTarget.nodes(["a", "b"])
            // The number of nodes is the limit: no waiting for a third one.
            let replies = try await client.broadcast("ping", to: target, timeout: .seconds(600)) { reply in
                seen.withLock { $0.append(reply.node) }
            }
            #expect(Set(replies.map { $0.node }) == ["a", "b"])
            #expect(seen.withLock { $0 } == replies.map { $0.node })
            let request = try #require(requests.all.first)
            #expect(request.destination == ["a", "b"])
            #expect(request.ticket != nil)
            #expect(request.replyTo?.exchange == "reply.celery.pidbox")
            #expect(request.expires != nil)
            #expect(request.clock == 1)
            let queue = try #require(broker.queueNames.first { $0.hasSuffix(".reply.celery.pidbox") })
            #expect(
                broker.declaration(ofQueue: queue)
                    == QueueDeclaration(
                        name: queue,
                        durable: false,
                        exclusive: true,
                        autoDelete: true,
                        arguments: ["x-expires": 10_000, "x-message-ttl": 300_000]
                    )
            )
        }
    }

    @Test func inspectionsAnswerByNode() async throws {
        try await withNodes([("a", ["x", "y"])]) { client, requests in
            let found = try await client.inspect("registered", of: .node("a"), timeout: .seconds(600))
            #expect(found == ["a": ["x", "y"]])
            _ = try await client.queryTask(["1", "2"], .node("a"), timeout: .seconds(600))
            _ = try await client.configuration(withDefaults: true, .node("a"), timeout: .seconds(600))
            #expect(requests.all.map { $0.method } == ["registered", "query_task", "conf"])
            #expect(requests.all.map { $0.arguments } == [[:], ["ids": ["1", "2"]], ["with_defaults": .bool(true)]])
            // The clock goes on with what the nodes have replied.
            #expect(requests.all.map { $0.clock } == [1, 9, 11])
        }
    }

    @Test func commandsAreWrittenAsCeleryWritesThem() async throws {
        try await withNodes([("a", ["ok": "x"])]) { client, requests in
            let node = ControlTarget.node("a")
            try await client.revoke(["1"], terminate: true, signal: "KILL", node)
            try await client.rateLimit("t", RateLimit("10/m"), node)
            try await client.timeLimit("t", soft: .milliseconds(1500), hard: nil, node)
            try await client.addConsumer("q", exchangeType: "topic", node)
            try await client.autoscale(max: 5, min: 2, node)
            try await client.shutdownWorkers(node)
            #expect(await eventually { requests.all.count == 6 })
            #expect(
                requests.all.map { $0.arguments } == [
                    ["task_id": ["1"], "terminate": .bool(true), "signal": "KILL"],
                    ["task_name": "t", "rate_limit": "10/m"],
                    ["task_name": "t", "hard": .null, "soft": .double(1.5)],
                    ["queue": "q", "exchange": .null, "exchange_type": "topic", "routing_key": .null],
                    ["max": .int(5), "min": .int(2)],
                    [:],
                ]
            )
            #expect(requests.all.last?.replyTo == nil)
            #expect(requests.all.last?.ticket == nil)
        }
    }

    @Test func nobodyThereIsNoError() async throws {
        try await withNodes([]) { client, _ in
            let found = try await client.ping(timeout: .milliseconds(50))
            #expect(found.isEmpty)
        }
    }

    @Test func waitingCanBeCancelled() async throws {
        try await withNodes([("a", .null)]) { client, requests in
            let waiting = Task { () async throws in try await client.broadcast("ping", timeout: .seconds(600), limit: 5)
            }
            #expect(await eventually { !requests.all.isEmpty })
            waiting.cancel()
            let error = await #expect(throws: CeleryError.self) { try await waiting.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func aLostConnectionEndsTheWait() async throws {
        try await withNodes([("a", .null)]) { client, requests in
            let waiting = Task { () async throws in try await client.broadcast("ping", timeout: .seconds(600), limit: 5)
            }
            #expect(await eventually { !requests.all.isEmpty })
            broker.failConnections()
            let error = await #expect(throws: CeleryError.self) { try await waiting.value }
            #expect(error?.code == .connection)
            // The next command has a connection of its own.
            let found = try await client.ping(timeout: .milliseconds(50))
            #expect(found.isEmpty)
        }
    }

    @Test func aBrokerThatCannotBeReachedIsToldOf() async throws {
        broker.refusesConnections = true
        let client = try ControlClient(broker: broker, logger: log.logger())
        let error = await #expect(throws: CeleryError.self) { try await client.ping() }
        #expect(error?.code == .connection)
        await client.shutdown()
        let closed = await #expect(throws: CeleryError.self) { try await client.ping() }
        #expect(closed?.code == .closed)
    }

    @Test func contradictorySettingsAreRefused() {
        var configuration = CeleryConfiguration()
        configuration.controlQueueDurable = true
        let error = #expect(throws: CeleryError.self) {
            try ControlClient(broker: broker, configuration: configuration, logger: log.logger())
        }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func strangersRepliesAreCounted() async throws {
        try await withNodes([("a", .null)]) { client, _ in
            _ = try await client.ping(.node("a"), timeout: .seconds(600))
            let queue = try #require(broker.queueNames.first { $0.hasSuffix(".reply.celery.pidbox") })
            try broker.publish(OutgoingMessage(routingKey: queue, body: Array("nonsense".utf8)))
            let late = ControlReply(node: "b", value: .null, ticket: "unknown")
            try broker.publish(
                OutgoingMessage(routingKey: queue, properties: late.properties(), body: late.encodedBody())
            )
            #expect(await eventually { client.unusableReplyCount == 2 })
        }
    }
}

@Suite("Reply collection")
struct ReplyCollectionTests {
    private let start = ContinuousClock.now
    private let reply = ControlReply(node: "a", value: .null, ticket: nil)

    @Test func eachReplyStartsTheWaitAnew() {
        var collection = ReplyCollection(limit: nil, patience: .seconds(1), now: start)
        #expect(collection.wait(now: start) == .seconds(1))
        let isWanted = collection.receive(reply, now: start + .milliseconds(900))
        #expect(isWanted)
        #expect(collection.wait(now: start + .seconds(1)) == .milliseconds(900))
        #expect(collection.wait(now: start + .milliseconds(1900)) == nil)
        #expect(collection.replies.count == 1)
    }

    @Test func theLimitEndsIt() {
        var collection = ReplyCollection(limit: 1, patience: .seconds(1), now: start)
        let first = collection.receive(reply, now: start)
        let second = collection.receive(reply, now: start)
        #expect(first && !second)
        #expect(collection.isFull)
        #expect(collection.wait(now: start) == nil)
    }

    @Test func noNumberOfRepliesFillsTheMemory() {
        var collection = ReplyCollection(limit: nil, patience: .seconds(1), now: start)
        for _ in 0..<(ReplyCollection.bound + 10) { _ = collection.receive(reply, now: start) }
        #expect(collection.replies.count == ReplyCollection.bound)
    }
}

/// The requests that nodes have got.
private final class Requests: Sendable {
    private let requests = Mutex<[ControlRequest]>([])

    var all: [ControlRequest] { requests.withLock { $0 } }

    func add(_ request: ControlRequest) {
        requests.withLock { $0.append(request) }
    }
}
