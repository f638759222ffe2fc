import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Delay ladder")
struct DelayLadderTests {
    private static let none = String(repeating: "0.", count: 27)

    @Test(arguments: [
        (1, "jobs", none + "1.jobs"),
        (5, "jobs", String(repeating: "0.", count: 25) + "1.0.1.jobs"),
        (1 << 27, "a.b", "1." + none + "a.b"),
        ((1 << 28) - 1, "", String(repeating: "1.", count: 28)),
        // A delay that is there is replaced, and only a whole one is one.
        (1, none + "0.jobs", none + "1.jobs"),
        (1, none + "1." + none + "1.jobs", none + "1." + none + "1.jobs"),
        (1, none + "jobs", none + "1." + none + "jobs"),
        (1, none + "2.jobs", none + "1." + none + "2.jobs"),
    ])
    func keys(seconds: Int, key: String, delayed: String) throws {
        #expect(try DelayLadder.routingKey(seconds: seconds, key: key) == delayed)
    }

    @Test(arguments: [0, -1, 1 << 28, .max])
    func delaysOutOfRange(seconds: Int) {
        let error = #expect(throws: CeleryError.self) { try DelayLadder.routingKey(seconds: seconds, key: "k") }
        #expect(error?.code == .invalidOption)
    }

    @Test func keysThatAreTooLong() throws {
        let longest = String(repeating: "k", count: 255 - 56)
        #expect(try DelayLadder.routingKey(seconds: 1, key: longest).utf8.count == 255)
        let error = #expect(throws: CeleryError.self) { try DelayLadder.routingKey(seconds: 1, key: longest + "k") }
        #expect(error?.code == .invalidOption)
    }

    @Test func queuesAreCelerys() {
        #expect(
            DelayLadder.queue(ofLevel: 27, type: .quorum)
                == QueueDeclaration(
                    name: "celery_delayed_27",
                    arguments: [
                        "x-queue-type": "quorum", "x-overflow": "reject-publish",
                        "x-message-ttl": .longLong(134_217_728_000), "x-dead-letter-exchange": "celery_delayed_26",
                        "x-dead-letter-strategy": "at-least-once",
                    ]
                )
        )
        #expect(
            DelayLadder.queue(ofLevel: 0, type: .classic)
                == QueueDeclaration(
                    name: "celery_delayed_0",
                    arguments: [
                        "x-queue-type": "classic", "x-overflow": "reject-publish", "x-message-ttl": 1000,
                        "x-dead-letter-exchange": "celery_delayed_delivery",
                    ]
                )
        )
        #expect(DelayLadder.bindingKey(ofLevel: 27, digit: 1) == "1.#")
        #expect(DelayLadder.bindingKey(ofLevel: 25, digit: 0) == "*.*.0.#")
        #expect(DelayLadder.bindingKey(ofLevel: 0, digit: 0) == String(repeating: "*.", count: 27) + "0.#")
        #expect(DelayLadder.bindingKey(for: "jobs") == "#.jobs")
        #expect(DelayLadder.bindingKey(for: "#.jobs") == "#.jobs")
        #expect(DelayLadder.bindingKey(for: "#") == "#")
    }
}

@Suite("Delayed tasks")
struct DelayedTaskTests {
    private func compose(
        _ options: TaskOptions,
        _ configuration: CeleryConfiguration = GoldenCase.quorum
    ) throws -> ComposedTask {
        let composition = try TaskComposer(configuration: configuration).compose(
            Signature("tasks.add"),
            options: options,
            context: SendContext()
        )
        return try #require(composition.tasks.first)
    }

    @Test(arguments: [Duration.zero, .milliseconds(999), .seconds(-5)])
    func lessThanASecondIsNotDelayed(countdown: Duration) throws {
        let task = try compose(TaskOptions(countdown: countdown))
        #expect((task.message.exchange, task.message.routingKey) == ("qx", "jobs"))
        #expect(task.delay == nil)
    }

    @Test func aPastEtaIsNotDelayed() throws {
        let task = try compose(TaskOptions(eta: SendContext().now.addingTimeInterval(-10)))
        #expect(task.message.exchange == "qx")
        #expect(task.delay == nil)
    }

    @Test func withoutQuorumQueuesTheWorkerWaits() throws {
        let task = try compose(TaskOptions(countdown: .seconds(9)), GoldenCase.topic)
        #expect(task.message.exchange == "topicx")
        #expect(task.delay == nil)
    }

    @Test func directExchangesAreLeftToTheWorker() throws {
        var configuration = CeleryConfiguration()
        configuration.taskDefaultQueueType = .quorum
        let task = try compose(TaskOptions(countdown: .seconds(90)), configuration)
        #expect((task.message.exchange, task.message.routingKey) == ("", "celery"))
        #expect(task.delay == .worker(exchange: "celery"))
        #expect(task.message.properties.headers?["eta"]?.stringValue != nil)
    }

    @Test func broadcastsAndUnknownExchangesAreLeftToTheWorker() throws {
        var configuration = GoldenCase.quorum
        configuration.taskQueues.append(.broadcast("all"))
        let everybody = try compose(TaskOptions(queue: "all", countdown: .seconds(90)), configuration)
        #expect(everybody.message.exchange == "all")
        #expect(everybody.delay == .worker(exchange: "all"))
        let elsewhere = try compose(TaskOptions(exchange: "x", routingKey: "k", countdown: .seconds(90)))
        #expect((elsewhere.message.exchange, elsewhere.message.routingKey) == ("x", "k"))
        #expect(elsewhere.delay == .worker(exchange: "x"))
    }

    @Test func theKeyOfTheSendIsKept() throws {
        let task = try compose(TaskOptions(exchange: "qx", routingKey: "jobs.special", countdown: .seconds(1)))
        #expect(task.message.exchange == "celery_delayed_27")
        #expect(task.message.routingKey.hasSuffix(".1.jobs.special"))
        #expect(task.delay == .ladder(.quorum))
        #expect(task.queue?.name == "qq")
    }

    @Test(arguments: [1 << 28, Int.max / 2])
    func whatIsTooFarAwayIsAnError(seconds: Int) {
        let error = #expect(throws: CeleryError.self) { try compose(TaskOptions(countdown: .seconds(seconds))) }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains("268435455") == true)
    }
}

@Suite("Handing delayed messages over")
struct DelayHandoverTests {
    private static func delivered(_ headers: FieldTable) -> IncomingMessage {
        var properties = BasicProperties()
        properties.headers = headers
        properties.expiration = "5000"
        properties.priority = 3
        properties.correlationID = "id"
        return IncomingMessage(
            deliveryTag: 1,
            redelivered: true,
            exchange: "x",
            routingKey: "k",
            properties: properties,
            body: [1, 2]
        )
    }

    @Test func whatTheBrokerAddedIsTakenAway() throws {
        let message = Self.delivered([
            "id": "id", "x-death": .array([]), "x-first-death-queue": "q", "x-last-death-reason": "expired",
            "x-delivery-count": 2, "x-acquired-count": 1, "mine": true,
        ])
        let handed = try DelayHandover.message(message, queue: "a.b", seconds: 3)
        #expect(handed.exchange == "celery_delayed_27")
        #expect(handed.routingKey == String(repeating: "0.", count: 26) + "1.1.swcelery.a.b")
        #expect(handed.mandatory)
        #expect(handed.properties.headers == ["id": "id", "mine": true])
        #expect(handed.properties.expiration == nil)
        #expect(handed.properties.priority == 3)
        #expect(handed.properties.correlationID == "id")
        #expect(handed.body == [1, 2])
        #expect(DelayHandover.queue(ofKey: handed.routingKey) == "a.b")
    }

    @Test func delaysAreCutToTheLongest() throws {
        let handed = try DelayHandover.message(Self.delivered([:]), queue: "q", seconds: .max)
        #expect(handed.routingKey.hasPrefix("1.1.1."))
        #expect(throws: CeleryError.self) { try DelayHandover.message(Self.delivered([:]), queue: "q", seconds: 0) }
    }

    @Test func namesThatFitNoKey() {
        #expect(DelayHandover.isPossible(for: String(repeating: "q", count: 190)))
        #expect(!DelayHandover.isPossible(for: String(repeating: "q", count: 191)))
        #expect(!DelayHandover.isPossible(for: "a.*"))
        #expect(!DelayHandover.isPossible(for: "#"))
        #expect(!DelayHandover.isPossible(for: ""))
        #expect(DelayHandover.isPossible(for: "a*.b"))
    }

    @Test func otherKeysAreNobodys() {
        #expect(DelayHandover.queue(ofKey: "swcelery.q") == nil)
        #expect(DelayHandover.queue(ofKey: String(repeating: "0.", count: 28) + "jobs") == nil)
    }

    @Test func aRetryOfAHandedOverTaskGoesToItsQueue() throws {
        let context = SendContext()
        let task = try TaskComposer(configuration: GoldenCase.quorum).retry(
            TaskMessage(headers: TaskHeaders(task: "t", id: "id"), body: TaskBody()),
            exchange: "celery_delayed_delivery",
            routingKey: String(repeating: "0.", count: 28) + "swcelery.qq",
            request: RetryRequest(countdown: .seconds(1)),
            context: context
        )
        #expect(task.message.exchange == "celery_delayed_27")
        #expect(task.message.routingKey.hasSuffix(".1.jobs"))
    }
}
