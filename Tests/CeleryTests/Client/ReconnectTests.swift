import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Lost connections", .timeLimit(.minutes(1)))
struct ReconnectTests {
    @Test func theNextSendConnectsAgain() async throws {
        let broker = InMemoryBroker()
        let client = CeleryClient(broker: broker, logger: testLogger())
        try await client.enqueue(Tasks.add(1, 1))
        broker.failConnections()
        #expect(broker.openConnectionCount == 0)
        try await client.enqueue(Tasks.add(2, 2))
        #expect(broker.messages(in: "celery").count == 2)
        #expect(broker.connectionCount == 2)
        await client.shutdown()
    }

    @Test func whoWaitsGetsTheResultAfterReconnecting() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Tasks.add(1, 1))
            let replyQueue = client.core.backend.replyQueue
            let waiting = Task { try await handle.value(timeout: .seconds(20)) }
            #expect(await eventually { client.core.backend.waiterCount == 1 && worker.tasks.count == 1 })
            broker.failConnections()
            #expect(await eventually { broker.consumerCount(of: replyQueue) == 1 })
            #expect(client.core.backend.counters.reconnects == 1)
            broker.send(ResultMessage(taskID: handle.id, state: .success, result: 2), to: replyQueue)
            #expect(try await waiting.value == 2)
        }
    }

    @Test func aDeletedReplyQueueIsDeclaredAnew() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let handle = try await client.send(Tasks.add(1, 1))
            let replyQueue = client.core.backend.replyQueue
            broker.deleteQueue(replyQueue)
            #expect(await eventually { broker.consumerCount(of: replyQueue) == 1 })
            broker.send(ResultMessage(taskID: handle.id, state: .success, result: 2), to: replyQueue)
            #expect(try await handle.value(timeout: .seconds(60)) == 2)
        }
    }

    @Test func aBrokerThatComesBackIsWaitedFor() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let handle = try await client.send(Tasks.add(1, 1))
            let replyQueue = client.core.backend.replyQueue
            broker.refusesConnections = true
            broker.failConnections()
            try await Task.sleep(for: .milliseconds(50))
            broker.refusesConnections = false
            #expect(await eventually { broker.consumerCount(of: replyQueue) == 1 })
            broker.send(ResultMessage(taskID: handle.id, state: .success, result: 2), to: replyQueue)
            #expect(try await handle.value(timeout: .seconds(60)) == 2)
        }
    }

    @Test func unconfirmedPublishesAreSentAgainUnderTheSameID() async throws {
        let broker = InMemoryBroker()
        let client = CeleryClient(broker: broker, logger: testLogger())
        try await client.enqueue(Tasks.add(0, 0))
        broker.holdsConfirms = true
        let sending = Task { try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(taskID: "same")) }
        #expect(await eventually { broker.messages(in: "celery").count == 2 })
        broker.failConnections()
        #expect(await eventually { broker.messages(in: "celery").count == 3 })
        broker.holdsConfirms = false
        #expect(try await sending.value == "same")
        let ids = broker.messages(in: "celery").map(\.properties.correlationID)
        #expect(ids.suffix(2) == ["same", "same"])
        await client.shutdown()
    }

    @Test func giveUpAfterTheLastTry() async throws {
        let broker = InMemoryBroker()
        broker.refusesConnections = true
        let client = CeleryClient(broker: broker, logger: testLogger())
        let quick = RetryPolicy(maxRetries: 2, intervalStep: .milliseconds(1))
        let error = await #expect(throws: CeleryError.self) {
            try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(retryPolicy: quick))
        }
        #expect(error?.code == .connection)
        let once = await #expect(throws: CeleryError.self) {
            try await client.send(Tasks.add(1, 1), options: TaskOptions(retry: false))
        }
        #expect(once?.code == .connection)
        #expect(client.core.backend.interestCount == 0)
        broker.refusesConnections = false
        try await client.enqueue(Tasks.add(1, 1))
        await client.shutdown()
    }

    @Test func cancellingASendThatRetries() async throws {
        let broker = InMemoryBroker()
        broker.refusesConnections = true
        let client = CeleryClient(broker: broker, logger: testLogger())
        let forever = RetryPolicy(maxRetries: nil, intervalStart: .seconds(100), intervalMax: .seconds(100))
        let sending = Task {
            try await client.enqueue(Tasks.add(1, 1), options: TaskOptions(retryPolicy: forever))
        }
        try await Task.sleep(for: .milliseconds(20))
        sending.cancel()
        let error = await #expect(throws: CeleryError.self) { try await sending.value }
        #expect(error?.code == .cancelled)
        await client.shutdown()
    }

    @Test func oneMessageThatEndsTheChannelFailsAlone() async throws {
        let broker = InMemoryBroker()
        let client = CeleryClient(broker: broker, logger: testLogger())
        // Declared here once; then somebody deletes the exchange.
        broker.declareExchange(ExchangeDeclaration(name: "gone", type: "fanout"))
        broker.declareQueue(QueueDeclaration(name: "q"), boundTo: "gone", routingKey: "key")
        let doomed = TaskOptions(exchange: "gone", routingKey: "key")
        try await client.enqueue(Tasks.add(1, 1), options: doomed)
        broker.deleteExchange("gone")
        let outcomes = await withTaskGroup(of: (Bool, CeleryError.Code?).self) { group in
            for number in 0..<100 {
                group.addTask {
                    let isDoomed = number == 50
                    do throws(CeleryError) {
                        try await client.enqueue(Tasks.add(number, 1), options: isDoomed ? doomed : TaskOptions())
                        return (isDoomed, nil)
                    } catch {
                        return (isDoomed, error.code)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for (isDoomed, code) in outcomes { #expect(code == (isDoomed ? .unroutable : nil)) }
        await client.shutdown()
    }

    @Test func aBlockedBrokerHoldsSendsBackButNotResults() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Tasks.add(1, 1))
            #expect(await eventually { worker.tasks.count == 1 })
            broker.isBlocked = true
            let sending = Task { try await client.enqueue(Tasks.add(2, 2)) }
            broker.send(
                ResultMessage(taskID: handle.id, state: .success, result: 2),
                to: client.core.backend.replyQueue
            )
            #expect(try await handle.value(timeout: .seconds(60)) == 2)
            #expect(worker.tasks.count == 1)
            broker.isBlocked = false
            _ = try await sending.value
            #expect(await eventually { worker.tasks.count == 2 })
        }
    }
}
