import AMQP
import CeleryTestKit
import Logging
import Testing

@testable import Celery

@Suite("Publishing", .timeLimit(.minutes(1)))
struct PublishTests {
    private let broker = InMemoryBroker()
    private let log = LogRecorder()

    private func withClient(
        _ configuration: CeleryConfiguration = CeleryConfiguration(),
        _ body: (CeleryClient) async throws -> Void
    ) async throws {
        try await withCeleryClient(
            CeleryClient(broker: broker, configuration: configuration, logger: log.logger()),
            body
        )
    }

    private func failure(
        of client: CeleryClient,
        _ options: TaskOptions = TaskOptions()
    ) async -> CeleryError? {
        do throws(CeleryError) {
            try await client.enqueue(Tasks.add(1, 1), options: options)
            return nil
        } catch {
            return error
        }
    }

    private static var small: CeleryConfiguration {
        var configuration = CeleryConfiguration()
        configuration.taskQueues = [Queue("celery", arguments: ["x-max-length": 1, "x-overflow": "reject-publish"])]
        return configuration
    }

    // MARK: Deadlines

    @Test func aConfirmThatNeverComesEndsByTheDeadline() async throws {
        try await withClient { client in
            try await client.enqueue(Tasks.add(1, 1))
            broker.holdsConfirms = true
            let error = await failure(of: client, TaskOptions(publishTimeout: .milliseconds(50)))
            #expect(error?.code == .timeout)
            broker.holdsConfirms = false
            try await client.enqueue(Tasks.add(1, 1))
        }
    }

    @Test func theDeadlineCountsTheWaitForABrokerThatHoldsBack() async throws {
        var configuration = CeleryConfiguration()
        configuration.publishTimeout = .milliseconds(50)
        configuration.publishWindow = 1
        try await withClient(configuration) { client in
            #expect(await failure(of: client, TaskOptions(publishTimeout: .seconds(60))) == nil)
            broker.isBlocked = true
            let errors = await withTaskGroup(of: CeleryError?.self) { group in
                for _ in 0..<5 { group.addTask { await failure(of: client) } }
                return await group.reduce(into: []) { $0.append($1?.code) }
            }
            #expect(errors == Array(repeating: .timeout, count: 5))
            broker.isBlocked = false
            #expect(await failure(of: client, TaskOptions(publishTimeout: .seconds(60))) == nil)
        }
    }

    @Test func theDeadlineCountsFurtherTries() async throws {
        try await withClient { client in
            broker.refusesConnections = true
            let patient = RetryPolicy(maxRetries: nil, intervalStart: .milliseconds(20), intervalMax: .milliseconds(20))
            let options = TaskOptions(retryPolicy: patient, publishTimeout: .milliseconds(200))
            #expect(await failure(of: client, options)?.code == .timeout)
        }
    }

    @Test func anOutageBeyondThePolicyIsAnErrorOfTheConnection() async throws {
        try await withClient { client in
            try await client.enqueue(Tasks.add(1, 1))
            broker.refusesConnections = true
            broker.failConnections()
            #expect(await failure(of: client)?.code == .connection)
            broker.refusesConnections = false
            #expect(await failure(of: client) == nil)
        }
    }

    @Test func cancelledSendsKeepNoPlace() async throws {
        var configuration = CeleryConfiguration()
        configuration.publishWindow = 2
        try await withClient(configuration) { client in
            try await client.enqueue(Tasks.add(1, 1))
            broker.isBlocked = true
            let sends = (0..<6).map { _ in Task { await failure(of: client) } }
            try await Task.sleep(for: .milliseconds(20))
            for send in sends { send.cancel() }
            for send in sends { #expect(await send.value?.code == .cancelled) }
            broker.isBlocked = false
            for _ in 0..<4 { #expect(await failure(of: client) == nil) }
        }
    }

    // MARK: Refusals

    @Test func aFullQueueIsTriedAgainAsThePolicyTells() async throws {
        try await withClient(Self.small) { client in
            try await client.enqueue(Tasks.add(1, 1))
            #expect(await failure(of: client, TaskOptions(retry: false))?.code == .queueFull)
            #expect(await failure(of: client)?.code == .queueFull)
            let patient = RetryPolicy(maxRetries: 1_000, intervalStep: .milliseconds(1))
            let sending = Task { await failure(of: client, TaskOptions(retryPolicy: patient)) }
            try await Task.sleep(for: .milliseconds(100))
            _ = broker.takeMessages(from: "celery")
            #expect(await sending.value == nil)
        }
    }

    @Test func aMessageThatIsTooLargeIsNotSent() async throws {
        var configuration = CeleryConfiguration()
        configuration.publishMaxBodySize = 200
        try await withClient(configuration) { client in
            let error = await #expect(throws: CeleryError.self) {
                try await client.enqueue(Tasks.notify(String(repeating: "x", count: 200)))
            }
            #expect(error?.code == .messageTooLarge)
            #expect(broker.connectionCount == 0)
            try await client.enqueue(Tasks.notify("x"))
        }
    }

    @Test func whatTheBrokerFindsTooLargeHasTheSameCode() {
        let text = "PRECONDITION_FAILED - message size 9 is larger than configured max size 8"
        #expect(CeleryError(AMQPError(.channelClosed, text, replyCode: 406), "").code == .messageTooLarge)
        #expect(CeleryError(AMQPError(.messageTooLarge, ""), "").code == .messageTooLarge)
        #expect(CeleryError(AMQPError(.channelClosed, "other", replyCode: 406), "").code == .topology)
    }

    @Test func aQueueThatVanishedIsDeclaredAnew() async throws {
        try await withClient { client in
            try await client.enqueue(Tasks.add(1, 1))
            broker.deleteQueue("celery")
            try await client.enqueue(Tasks.add(1, 1))
            #expect(broker.messages(in: "celery").count == 1)
            broker.deleteQueue("celery")
            #expect(await failure(of: client, TaskOptions(retry: false))?.code == .unroutable)
        }
    }

    // MARK: Groups, delays, blocking

    @Test func membersOfAGroupArePublishedAtATime() async throws {
        try await withClient { client in
            try await client.enqueue(Tasks.add(0, 0))
            broker.holdsConfirms = true
            let members = GoldenCase.group((0..<20).map { GoldenCase.add(.int($0), 1) })
            let sending = Task { try await client.enqueue(members) }
            #expect(await eventually { broker.messages(in: "celery").count == 21 })
            broker.holdsConfirms = false
            _ = try await sending.value
        }
    }

    @Test func theLadderIsThereBeforeADelayedTaskIsSent() async throws {
        try await withClient(GoldenCase.quorum) { client in
            for _ in 0..<2 {
                try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(countdown: .seconds(5)))
            }
            #expect(broker.messages(in: "celery_delayed_2").count == 2)
            #expect(broker.queueNames.count == 29)
            #expect(broker.isBound("qq", to: "qx", routingKey: "#.jobs"))
            // What comes out of the ladder reaches the queue.
            try broker.publish(
                OutgoingMessage(
                    exchange: DelayLadder.exit,
                    routingKey: DelayLadder.routingKey(seconds: 1, key: "jobs"),
                    body: []
                )
            )
            #expect(broker.messages(in: "qq").count == 1)
        }
        #expect(!log.lines.contains { $0.level == "warning" })
    }

    @Test func anExchangeThatTheLadderDoesNotLeadToIsToldOnce() async throws {
        var configuration = CeleryConfiguration()
        configuration.taskDefaultQueueType = .quorum
        try await withClient(configuration) { client in
            for _ in 0..<3 {
                try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(countdown: .seconds(5)))
            }
            #expect(broker.messages(in: "celery").count == 3)
            #expect(log.lines.count { $0.level == "warning" && $0.message.contains("wait in the worker") } == 1)
        }
    }

    @Test func aBrokerThatHoldsPublishersBackIsSeen() async throws {
        try await withClient { client in
            #expect(client.blockedState == .unblocked)
            try await client.enqueue(Tasks.add(1, 1))
            broker.isBlocked = true
            #expect(client.blockedState.isBlocked)
            #expect(await eventually { log.messages.contains("the broker takes no publishes for now") })
            broker.isBlocked = false
            #expect(client.blockedState == .unblocked)
            #expect(await eventually { log.messages.contains("the broker takes publishes again") })
        }
    }
}
