import AMQP
import Celery
import CeleryTestKit
import Synchronization
import Testing

@testable import CeleryWorker

@Suite("ConfirmPublisher")
struct ConfirmPublisherTests {
    /// Collects verdicts by the message's body.
    final class Verdicts: Sendable {
        private let collected = Mutex<[UInt8: String]>([:])

        var all: [UInt8: String] { collected.withLock { $0 } }

        func add(_ number: UInt8, _ verdict: ConfirmPublisher.Verdict) {
            let name =
                switch verdict {
                case .confirmed: "confirmed"
                case .unroutable: "unroutable"
                case .failed(let error): "failed: \(error.code)"
                }
            collected.withLock { verdicts in
                #expect(verdicts[number] == nil, "a completion runs once")
                verdicts[number] = name
            }
        }
    }

    private let broker = InMemoryBroker()
    private let verdicts = Verdicts()

    init() {
        broker.declareQueue(QueueDeclaration(name: "q", durable: false))
    }

    private func channel() async throws -> any BrokerChannel {
        try await broker.connect(.publish).openChannel(confirms: true)
    }

    private func post(_ number: UInt8, to queue: String = "q", exchange: String = "", on publisher: ConfirmPublisher) {
        let message = OutgoingMessage(exchange: exchange, routingKey: queue, body: [number])
        publisher.post(message) { self.verdicts.add(number, $0) }
    }

    @Test("posts at once on a channel, and later what came before there was one")
    func posts() async throws {
        let publisher = ConfirmPublisher(window: 10, policy: .results)
        post(1, on: publisher)
        #expect(publisher.unfinishedCount == 1)
        await publisher.attach(try await channel(), oneByOne: false)
        post(2, on: publisher)
        post(3, to: "nowhere", on: publisher)

        #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
        #expect(verdicts.all == [1: "confirmed", 2: "confirmed", 3: "unroutable"])
        #expect(broker.messages(in: "q").map(\.body) == [[1], [2]])
    }

    @Test(
        "posts again what was not confirmed when the connection broke",
        arguments: [AMQPError.Code.connectionClosed, .heartbeatTimeout, .timeout, .protocolViolation]
    )
    func postsAgain(code: AMQPError.Code) async throws {
        let publisher = ConfirmPublisher(window: 10, policy: .results)
        await publisher.attach(try await channel(), oneByOne: false)
        broker.holdsConfirms = true
        post(1, on: publisher)
        try await eventually("it is in the queue") { broker.messages(in: "q").count == 1 }
        broker.failConnections(AMQPError(code, "failed by a test"))
        broker.holdsConfirms = false
        #expect(await !publisher.waitUntilIdle(limit: .milliseconds(20)))
        await publisher.attach(try await channel(), oneByOne: false)

        #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
        #expect(verdicts.all == [1: "confirmed"])
        #expect(broker.messages(in: "q").map(\.body) == [[1], [1]])
    }

    @Test("finds the message that makes the broker close the channel, and spares the others")
    func findsCulprit() async throws {
        let publisher = ConfirmPublisher(window: 10, policy: .results)
        post(1, on: publisher)
        post(2, exchange: "missing", on: publisher)
        post(3, on: publisher)
        // The second one ends this channel; the first may have been confirmed before that or not.
        await publisher.attach(try await channel(), oneByOne: false)
        var attempts = 0
        while publisher.unfinishedCount > 0, attempts < 10 {
            attempts += 1
            await publisher.attach(try await channel(), oneByOne: true)
            _ = await publisher.waitUntilIdle(limit: .milliseconds(50))
        }

        #expect(verdicts.all == [1: "confirmed", 2: "failed: channelClosed", 3: "confirmed"])
    }

    @Test("the attachment of a channel ends with its task, although the broker takes no publishes for now")
    func cancelledAttachment() async throws {
        let publisher = ConfirmPublisher(window: 10, policy: .results)
        let ended = Gate<Void>()
        broker.isBlocked = true
        for number in 1...2 { post(UInt8(number), on: publisher) }
        let channel = try await channel()
        let attachment = Task {
            await publisher.attach(channel, oneByOne: true)
            ended.open()
        }
        attachment.cancel()
        #expect(await ended.wait(limit: .seconds(60)) != nil)
        publisher.detach()
        broker.isBlocked = false
        await publisher.attach(try await self.channel(), oneByOne: false)
        #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
        #expect(verdicts.all == [1: "confirmed", 2: "confirmed"])
    }

    @Test("gives up after the policy's number of tries")
    func givesUp() async throws {
        let publisher = ConfirmPublisher(window: 10, policy: RetryPolicy(maxRetries: 2))
        broker.holdsConfirms = true
        post(1, on: publisher)
        for _ in 0..<3 {
            await publisher.attach(try await channel(), oneByOne: false)
            try await eventually("it is in the queue") { !broker.takeMessages(from: "q").isEmpty }
            broker.failConnections()
        }

        #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
        #expect(verdicts.all == [1: "failed: connectionClosed"])
    }

    @Test("fails what waits when it is closed, and whatever comes afterwards")
    func closes() async {
        let publisher = ConfirmPublisher(window: 10, policy: .results)
        post(1, on: publisher)
        publisher.close()
        post(2, on: publisher)

        #expect(verdicts.all == [1: "failed: connectionClosed", 2: "failed: connectionClosed"])
        #expect(publisher.unfinishedCount == 0)
    }

    @Test("holds callers up while its window is full")
    func window() async throws {
        let publisher = ConfirmPublisher(window: 2, policy: .results)
        await publisher.waitForRoom()
        post(1, on: publisher)
        post(2, on: publisher)
        let passed = Gate<Void>()
        Task {
            await publisher.waitForRoom()
            passed.open()
        }
        #expect(await passed.wait(limit: .milliseconds(20)) == nil)
        await publisher.attach(try await channel(), oneByOne: false)
        await passed.wait()
        #expect(await publisher.waitUntilIdle(limit: .seconds(60)))
    }
}
