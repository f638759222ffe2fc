import AMQP
import CeleryProtocol
import CeleryTestKit
import Logging
import Testing

@testable import Celery

@Suite("Reply queue", .timeLimit(.minutes(2)))
struct ReplyQueueTests {
    private let broker = InMemoryBroker()
    private let log = LogRecorder()

    private func withClient(
        _ configuration: CeleryConfiguration = CeleryConfiguration(),
        _ body: (CeleryClient, _ replyQueue: String) async throws -> Void
    ) async throws {
        let client = CeleryClient(broker: broker, configuration: configuration, logger: log.logger())
        try await withCeleryClient(client) { try await body($0, $0.core.backend.replyQueue) }
    }

    private func warnings(_ part: String) -> Int {
        log.lines.count { $0.level == "warning" && $0.message.contains(part) }
    }

    @Test func declarations() {
        var configuration = CeleryConfiguration()
        func declaration() -> QueueDeclaration {
            ReplyQueue("q", configuration: configuration, logger: log.logger()).declaration
        }
        #expect(declaration() == QueueDeclaration(name: "q", arguments: ["x-expires": .int32(86_400_000)]))
        configuration.resultQueueAutoDelete = true
        // What Celery 5.7 declares.
        #expect(
            declaration() == QueueDeclaration(name: "q", autoDelete: true, arguments: ["x-expires": .int32(86_400_000)])
        )
        configuration.resultExpires = nil
        #expect(declaration().arguments.isEmpty)
    }

    @Test func resultsThatComeInMeanwhileAreRead() async throws {
        try await withClient { client, replyQueue in
            let first = try await client.send(Tasks.add(1, 1))
            let second = try await client.send(Tasks.add(2, 2))
            let waiting = Task { try await first.value(timeout: .seconds(60)) }
            broker.refusesConnections = true
            broker.failConnections()
            #expect(broker.send(ResultMessage(taskID: first.id, state: .success, result: 2), to: replyQueue))
            #expect(broker.send(ResultMessage(taskID: second.id, state: .success, result: 4), to: replyQueue))
            broker.refusesConnections = false
            #expect(try await waiting.value == 2)
            #expect(try await second.value(timeout: .seconds(60)) == 4)
            #expect(client.core.backend.counters.reconnects == 1)
            #expect(client.core.backend.counters.vanished == 0)
            #expect(warnings("lost") == 0)
            #expect(await eventually { broker.unackedCount(of: replyQueue) == 0 })
            #expect(broker.messages(in: replyQueue).isEmpty)
        }
    }

    @Test func aLongOutageEndsSoonAfterTheBrokerIsBack() async throws {
        try await withClient { client, replyQueue in
            let handle = try await client.send(Tasks.add(1, 1))
            broker.refusesConnections = true
            broker.failConnections()
            try await Task.sleep(for: .seconds(5))
            broker.refusesConnections = false
            let back = ContinuousClock.now
            #expect(await eventually { broker.consumerCount(of: replyQueue) == 1 })
            // One second is the schedule's longest wait; the rest is for a busy machine.
            #expect(ContinuousClock.now - back < .seconds(10))
            broker.send(ResultMessage(taskID: handle.id, state: .success, result: 2), to: replyQueue)
            #expect(try await handle.value(timeout: .seconds(60)) == 2)
        }
    }

    @Test(arguments: [false, true])
    func aVanishedQueueIsDeclaredAnewWithAWarning(autoDelete: Bool) async throws {
        var configuration = CeleryConfiguration()
        configuration.resultQueueAutoDelete = autoDelete
        try await withClient(configuration) { client, replyQueue in
            let handle = try await client.send(Tasks.add(1, 1))
            if autoDelete { broker.failConnections() } else { broker.deleteQueue(replyQueue) }
            #expect(await eventually { client.core.backend.counters.vanished == 1 })
            #expect(await eventually { broker.consumerCount(of: replyQueue) == 1 })
            #expect(warnings("results that were sent meanwhile are lost") == 1)
            broker.send(ResultMessage(taskID: handle.id, state: .success, result: 2), to: replyQueue)
            #expect(try await handle.value(timeout: .seconds(60)) == 2)
        }
    }

    @Test func copiesDoNoHarm() async throws {
        try await withClient { client, replyQueue in
            let handle = try await client.send(Tasks.add(1, 1))
            for _ in 0..<3 {
                broker.send(ResultMessage(taskID: handle.id, state: .success, result: 2), to: replyQueue)
            }
            #expect(try await handle.value(timeout: .seconds(60)) == 2)
            #expect(await eventually { client.core.backend.counters.late == 2 })
        }
    }

    @Test func aShutdownDeletesIt() async throws {
        var name = ""
        try await withClient { client, replyQueue in
            name = replyQueue
            _ = try await client.send(Tasks.add(1, 1))
            #expect(broker.queueNames.contains(replyQueue))
        }
        #expect(!broker.queueNames.contains(name))
        #expect(broker.openConnectionCount == 0)
    }

    @Test func aShutdownWithoutBrokerEnds() async throws {
        try await withClient { client, _ in
            _ = try await client.send(Tasks.add(1, 1))
            broker.refusesConnections = true
            broker.failConnections()
        }
        #expect(broker.openConnectionCount == 0)
    }
}
