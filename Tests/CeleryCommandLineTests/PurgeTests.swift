import AMQP
import Celery
import CeleryTestKit
import Synchronization
import Testing

@testable import CeleryCommandLine

/// What `purge` deletes, asks and tells.
@Suite struct PurgeTests {
    @Test func theKnownQueuesWithoutTheExcludedOnes() {
        #expect(QueuePurge(known: ["b", "a"], wanted: nil, excluded: ["b"]).queues == ["a"])
        #expect(QueuePurge(known: ["b", "a"], wanted: ["x", "a"], excluded: []).queues == ["a", "x"])
        #expect(QueuePurge(known: ["a"], wanted: nil, excluded: ["a"]).queues.isEmpty)
    }

    @Test func theLastLineIsCelerys() {
        let one = QueuePurge(known: ["a"], wanted: nil, excluded: [])
        let two = QueuePurge(known: ["a", "b"], wanted: nil, excluded: [])
        #expect(one.report(0) == "No messages purged from 1 queue.")
        #expect(one.report(1) == "Purged 1 message from 1 known task queue.")
        #expect(two.report(3) == "Purged 3 messages from 2 known task queues.")
        #expect(two.question.contains("from queues: a, b."))
    }

    @Test func messagesOfQueuesThatAreThere() async throws {
        let broker = InMemoryBroker()
        broker.declareQueue(QueueDeclaration(name: "a"))
        broker.declareQueue(QueueDeclaration(name: "b"))
        for queue in ["a", "a", "b"] { try broker.publish(OutgoingMessage(routingKey: queue, body: [1])) }
        let connection = try await broker.connect(.publish)
        let outcome = try await QueuePurge(known: ["a", "absent", "b"], wanted: nil, excluded: []).run(connection)
        #expect(outcome.count == 3)
        #expect(outcome.remarks.count == 1 && !outcome.isRefused)
        #expect(broker.messages(in: "a").isEmpty && broker.messages(in: "b").isEmpty)
        await connection.close()
    }

    @Test(arguments: [
        (["y"], true), (["YES "], true), (["n"], false), ([""], false), ([], false), (["what", "y"], true),
    ])
    func onlyYesIsYes(answers: [String], isGiven: Bool) {
        let rest = Mutex(answers[...])
        let shown = Mutex("")
        let confirmation = Confirmation(
            show: { text in shown.withLock { $0 += text } },
            read: { rest.withLock { $0.popFirst() } }
        )
        #expect(confirmation.isGiven("Sure?") == isGiven)
        #expect(shown.withLock { $0 }.hasPrefix("Sure? [y/N]: "))
    }
}
