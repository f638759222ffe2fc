import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery
@testable import CeleryWorker

/// What a worker asks the others when it starts, and what it makes of their answers.
@Suite struct MingleTests {
    private let broker = InMemoryBroker(isShared: true)
    private let revocations = Revocations()
    private let clock = LogicalClock(5)
    private let logs = LogRecorder()

    private func mingle(timeout: Duration, limit: Duration = .seconds(600)) -> Mingle {
        Mingle(
            hostname: "own@h",
            topology: MingleTopology(CeleryConfiguration(), hostname: "own@h"),
            revoked: RevokedIDs(revocations: revocations, intake: Intake()),
            capacity: 3,
            clock: clock,
            accept: .json,
            executor: ThreadExecutor(label: "test", maxThreads: 1, usualThreads: 1),
            logger: logs.logger(),
            timeout: timeout,
            limit: limit
        )
    }

    private func reply(_ json: JSONValue, to request: ControlRequest, ticket: String? = nil) throws {
        try reply(json.serialized(), to: request, ticket: ticket)
    }

    private func reply(_ body: [UInt8], to request: ControlRequest, ticket: String? = nil) throws {
        let address = try #require(request.replyTo)
        let properties = ControlReply(node: "", value: .null, ticket: ticket ?? request.ticket).properties()
        try broker.publish(
            OutgoingMessage(
                exchange: address.exchange,
                routingKey: address.routingKey,
                properties: properties,
                body: body
            )
        )
    }

    /// Mingles while the body, which gets the request, answers it.
    private func mingle(answering body: (ControlRequest) throws -> Void) async throws {
        broker.declareExchange(ExchangeDeclaration(name: "celery.pidbox", type: "fanout", durable: false))
        broker.declareQueue(QueueDeclaration(name: "spy"), boundTo: "celery.pidbox", routingKey: "")
        revocations.add(ids: ["mine"])
        let connection = try await broker.connect(.consume)
        let asking = mingle(timeout: .seconds(600))
        let done = Task { await asking.sync(over: connection) }
        try await eventually("a request") { !broker.messages(in: "spy").isEmpty }
        let message = try #require(broker.messages(in: "spy").first)
        let request = try ControlRequest(decoding: message.properties, body: message.body)
        try body(request)
        // The last answer in order.
        try reply(["last@h": ["revoked": ["the-last"], "clock": 1]], to: request)
        try await eventually("the last answer") { revocations.contains("the-last") }
        done.cancel()
        await done.value
        await connection.close()
    }

    @Test func theQuestionIsCelerys() async throws {
        try await mingle { request in
            #expect(request.method == "hello")
            #expect(request.arguments == ["from_node": "own@h", "revoked": ["mine"]])
            #expect(request.destination == nil && request.pattern == nil && request.matcher == nil)
            #expect(request.replyTo?.exchange == "reply.celery.pidbox")
            #expect(request.clock == 1)
            let expires = try #require(request.expires)
            #expect(expires > 1_700_000_000)
            let key = try #require(request.replyTo?.routingKey)
            let queue = try #require(broker.declaration(ofQueue: "\(key).reply.celery.pidbox"))
            #expect(queue.exclusive && queue.autoDelete && !queue.durable)
            #expect(queue.arguments == ["x-expires": .integer(10_000), "x-message-ttl": .integer(300_000)])
        }
    }

    @Test func answersAreTakenOver() async throws {
        try await mingle { request in
            try reply(["a@h": ["revoked": ["r1", "r2"], "clock": 51]], to: request)
            try reply(["b@h": .null], to: request)
        }
        #expect(revocations.ids == ["mine", "r1", "r2", "the-last"])
        #expect(clock.value == 53)
    }

    @Test func strangeAnswersAreNoObstacle() async throws {
        try await mingle { request in
            try reply(Array("{".utf8), to: request)
            try reply(["a list"], to: request)
            try reply(["a@h": ["revoked": ["r1"]], "b@h": .null], to: request)
            try reply(["own@h": ["revoked": ["own"], "clock": 900]], to: request)
            try reply(["c@h": ["revoked": ["other"], "clock": 900]], to: request, ticket: "another")
            try reply(["d@h": ["error": "KeyError('hello')"]], to: request)
            try reply(["e@h": ["revoked": "no list", "clock": "no number"]], to: request)
            try reply(["f@h": ["revoked": [1, "", .string(String(repeating: "x", count: 256)), "r2"]]], to: request)
            try reply(["f@h": ["revoked": ["again"], "clock": 900]], to: request)
            try reply(["g@h": ["revoked": ["o1", "o2", "r3", "r4", "r5"], "clock": .int(-7)]], to: request)
        }
        #expect(revocations.ids == ["mine", "r2", "r3", "r4", "r5", "the-last"])
        #expect(clock.value == 9)
        let unreadable = logs.messages.count { $0 == "mingle: a reply cannot be read" }
        #expect(unreadable == 3)
    }

    @Test func alone() async throws {
        let connection = try await broker.connect(.consume)
        await mingle(timeout: .milliseconds(20)).sync(over: connection)
        await connection.close()
        #expect(logs.messages == ["mingle: searching for neighbors", "mingle: all alone"])
    }

    @Test func aSilentBrokerOnlyCostsTime() async throws {
        let silence = SilentConnection()
        await mingle(timeout: .seconds(60), limit: .milliseconds(20)).sync(over: silence)
        #expect(logs.messages.last == "mingle: the broker does not answer, going on without")
        silence.gate.open()
    }

    @Test func aClosedConnectionIsNoObstacle() async throws {
        let connection = try await broker.connect(.consume)
        await connection.close()
        await mingle(timeout: .seconds(60)).sync(over: connection)
        #expect(logs.messages.last == "mingle: cannot ask, going on without")
    }
}

/// A connection to a broker that never answers.
private final class SilentConnection: BrokerConnection {
    let gate = TestGate()

    func openChannel(confirms: Bool) async throws(AMQPError) -> any BrokerChannel {
        await gate.wait()
        throw AMQPError(.connectionClosed, "the test is over")
    }

    func waitUntilClosed() async -> AMQPError? { nil }
    var isBlocked: Bool { false }
    var blockedState: BlockedState { .unblocked }
    func onBlockedChange(_ handler: @escaping BlockedHandler) -> BlockedState { .unblocked }
    func close() async {}
}
