import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Testing

@testable import CeleryWorker

@Suite("Process pool: outcomes and hooks")
struct ProcessPoolOutcomeTests {
    @Test("middlewares and the signals around runs are called in the child, once for its start")
    func hooks() async throws {
        try await PoolHarness.run(concurrency: 1) { harness in
            for _ in 0..<2 {
                let seen = try await harness.result(of: harness.send("pool.hooks")).result.arrayValue
                let child = try #require(seen?.first)
                #expect(child != .int(Int(ProcessInfo.processInfo.processIdentifier)))
                #expect(seen == [child, 1, 1, child])
            }
        }
    }

    @Test("a task is replaced from a child; what cannot replace it fails it")
    func replace() async throws {
        try await PoolHarness.run { harness in
            let id = try harness.send("pool.replace", [41])
            #expect(try await harness.result(of: id).result == 42)
            let refused = try await harness.failure(of: harness.send("pool.replaceByNothing"))
            #expect(refused.arguments.first?.stringValue?.contains("an empty chain cannot replace a task") == true)
        }
    }

    @Test("automatic retries and expected errors know Swift errors by their types; a run knows its time")
    func retries() async throws {
        try await PoolHarness.run { harness in
            let auto = try harness.send("pool.auto")
            #expect(try await harness.result(of: auto).result == 2)
            try await eventually("both retries") { try harness.results(of: auto).count { $0.state == .retry } == 2 }
            let expected = try harness.send("pool.expected")
            #expect(try await harness.failure(of: expected).type == "PoolTasks.Again")
            try await eventually("its line in the log") {
                harness.logs.messages.contains {
                    $0.hasPrefix("Task pool.expected[\(expected)] raised expected: Again(")
                }
            }
            #expect(try await harness.result(of: harness.send("pool.remaining")).result == true)
        }
    }

    @Test("errbacks are called in the child where the body failed; a lost process sends them")
    func errbacks() async throws {
        try await PoolHarness.run { harness in
            harness.broker.declareQueue(QueueDeclaration(name: "told"))
            let options = TaskOptions(linkError: [Signature("pool.onError", args: ["stored"])])
            let failed = try harness.send("pool.failing", ["why"], options: options)
            _ = try await harness.failure(of: failed)
            let told = try await Self.told(harness)
            #expect(told.prefix(2) == [.string(failed), "why"])
            #expect(told[2] != .int(Int(ProcessInfo.processInfo.processIdentifier)))
            #expect(told.last == "stored")
            try await harness.queueIsEmpty()

            let lost = try harness.send("pool.exit", [3], options: options)
            #expect(try await harness.failure(of: lost).type == "WorkerLostError")
            let toldOfLoss = try await Self.told(harness)
            #expect(toldOfLoss.prefix(2) == [.string(lost), nil])
            #expect(toldOfLoss.last == "stored")
        }
    }

    /// The arguments of the next message of `pool.onError`.
    private static func told(_ harness: WorkerHarness) async throws -> [JSONValue] {
        try await eventually("the errback's message") { !harness.broker.messages(in: "told").isEmpty }
        let message = try #require(harness.broker.takeMessages(from: "told").first)
        return try TaskMessage.decode(properties: message.properties, body: message.body).body.args
    }

    @Test("a map runs its inner task in the child")
    func map() async throws {
        try await PoolHarness.run { harness in
            let add = TaskName("pool.add", Int.self, Int.self, returning: Int.self)
            let id = try harness.send(Starmap(add, [(1, 2), (3, 4)]).signature)
            #expect(try await harness.result(of: id).result == [3, 7])
        }
    }
}
