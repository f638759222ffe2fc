import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Chains", .timeLimit(.minutes(1)))
struct ChainResultTests {
    @Test func typedChainIsOneMessage() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let chain = Tasks.add(1, 2).then(Tasks.double).then(Tasks.label, "sum").then(Tasks.notify("done"))
            let handle = try await client.send(chain, options: TaskOptions(taskID: "last"))
            #expect(handle.id == "last")
            #expect(await eventually { worker.tasks.count == 1 })
            let task = try #require(worker.tasks.first)
            #expect(task.headers.task == "tasks.add")
            let steps = try #require(task.body.embed.chain).map { try SignatureWire(decoding: $0) }
            #expect(steps.map(\.task) == ["tasks.notify", "tasks.label", "tasks.double"])
            #expect(steps.map(\.args) == [["done"], ["sum"], []])
            #expect(steps.map(\.immutable) == [true, false, false])
            for step in steps { #expect(step.options["reply_to"]?.stringValue == task.replyTo) }
            #expect(handle.parent?.id == steps[1].options["task_id"]?.stringValue)
            #expect(handle.parent?.parent?.parent?.id == task.headers.id)
            #expect(handle.parent?.parent?.parent?.parent == nil)
            broker.send(ResultMessage(taskID: task.headers.id, state: .success, result: 3), for: task)
            broker.send(ResultMessage(taskID: "last", state: .success), for: task)
            #expect(try await handle.value(timeout: .seconds(60)) == NoResult())
            #expect(try await handle.parent?.parent?.parent?.value(timeout: .seconds(60)) == 3)
        }
    }

    @Test func parentsKeepTheChainKnown() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, _ in
            let backend = client.core.backend
            var parent: TaskHandle<JSONValue>?
            do {
                let handle = try await client.send(Tasks.add(1, 2).then(Tasks.double))
                parent = handle.parent
            }
            #expect(backend.interestCount == 2)
            #expect(parent != nil)
            parent = nil
            #expect(backend.interestCount == 0)
        }
    }

    @Test func aRevokedStepReleasesWhoWaitsForTheLast() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let handle = try await client.send(Tasks.add(1, 2).then(Tasks.double).then(Tasks.double))
            #expect(await eventually { worker.tasks.count == 1 })
            let task = try #require(worker.tasks.first)
            let exception = ExceptionInfo(type: "TaskRevokedError", module: "celery.exceptions", arguments: ["revoked"])
            let reading = Task { try await handle.states.reduce(into: []) { $0.append($1.state) } }
            #expect(await eventually { client.core.backend.subscriberCount == 1 })
            broker.send(ResultMessage(taskID: task.headers.id, state: .revoked, result: exception.json), for: task)
            let failure = await #expect(throws: TaskFailure.self) { try await handle.value(timeout: .seconds(60)) }
            #expect(failure?.state == .revoked)
            #expect(failure?.id == task.headers.id)
            #expect(try await reading.value == [.revoked])
        }
    }

    @Test func enqueuedChainWantsNoResultOfAnyStep() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            try await client.enqueue(Tasks.add(1, 2).then(Tasks.double))
            #expect(await eventually { worker.tasks.count == 1 })
            let task = try #require(worker.tasks.first)
            #expect(task.headers.ignoreResult == true)
            #expect(task.replyTo == nil)
            let step = try #require(task.body.embed.chain?.first)
            #expect(step["options"]?["ignore_result"] == true)
            #expect(step["options"]?["reply_to"] == nil)
            #expect(broker.connectionCount == 2)
        }
    }

    @Test func optionsOfTypedNamesTravelWithTheirSteps() async throws {
        let low = TaskName(
            "tasks.low",
            Int.self,
            returning: Int.self,
            options: TaskOptions(queue: "low", priority: 3)
        )
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            _ = try await client.send(low(1).then(low))
            let message = try #require(broker.messages(in: "low").first)
            let task = try TaskMessage.decode(properties: message.properties, body: message.body)
            #expect(task.priority == 3)
            let options = try #require(task.body.embed.chain?.first?["options"])
            #expect(options["queue"] == "low")
            #expect(options["priority"] == 3)
        }
    }

    @Test func untypedChainAndGroup() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, worker in
            let chain = Chain([Signature("a"), Signature("b", args: [1]), Signature("c", immutable: true)])
            let handle = try await client.send(chain)
            #expect(handle.parent?.parent?.id != nil)
            #expect(await eventually { worker.tasks.count == 1 })
            #expect(worker.tasks.first?.headers.ignoreResult == nil)
            let group = GoldenCase.group([Signature("a"), Signature("b")])
            let ending = try await client.send(chain.then(group))
            #expect(ending.group?.members.count == 2)
            #expect(ending.parent?.parent?.parent?.parent == nil)
            #expect(ending.parent?.parent?.parent?.id != nil)
            #expect(await eventually { worker.tasks.count == 2 })
            let id = try await client.enqueue(group)
            #expect(await eventually { worker.tasks.count == 4 })
            #expect(worker.tasks.suffix(2).map(\.headers.group) == [id, id])
        }
    }

    @Test func aVeryLongChain() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, worker in
            var chain = Chain(Tasks.double(1))
            for _ in 0..<3_000 { chain = chain.then(Tasks.double) }
            let handle = try await client.send(chain)
            #expect(client.core.backend.interestCount == 3_001)
            #expect(await eventually { worker.tasks.count == 1 })
            #expect(worker.tasks.first?.body.embed.chain?.count == 3_000)
            _ = handle
        }
    }
}
