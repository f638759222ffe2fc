import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Chords and their results", .timeLimit(.minutes(2)))
struct ChordResultTests {
    private static let sum = TaskName("tasks.sum", [Int].self, returning: Int.self)

    @Test func theHandleIsTheBodysAndTheHeaderItsParent() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, worker in
            let chord = Chord((1...3).map { Tasks.add($0, $0) }, then: Self.sum)
            let handle = try await client.send(chord, options: TaskOptions(taskID: "body"))
            #expect(handle.id == "body")
            #expect(await eventually { worker.tasks.count == 3 })
            let header = try #require(handle.parentGroup)
            #expect(
                header.members.map(\.id)
                    == worker.tasks.sorted { $0.body.args[0].intValue! < $1.body.args[0].intValue! }
                    .map(\.headers.id)
            )
            #expect(Set(worker.tasks.compactMap(\.headers.group)) == [header.id])
            let bodies = worker.tasks.map { $0.body.embed.chord?["options"]?["task_id"] }
            #expect(bodies == ["body", "body", "body"])
            // The collector passes results on, and whoever runs the body answers.
            let reply = client.core.backend.replyQueue
            for (index, member) in header.members.enumerated() {
                broker.send(ResultMessage(taskID: member.id, state: .success, result: .int(index)), to: reply)
            }
            broker.send(ResultMessage(taskID: "body", state: .success, result: 12), to: reply)
            #expect(try await handle.value(timeout: .seconds(60)) == 12)
            #expect(try await header.values(timeout: .seconds(60)) == [0, 1, 2])
            #expect(header.completedCount == 3)
        }
    }

    @Test func whatFollowsABodyHasItAsItsParent() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, worker in
            let chain = Tasks.add(1, 2).then(Group([TaskCall<Int>(Signature("tasks.double")), Tasks.double(7)]))
            let workflow = Chain([chain.signature, Signature("tasks.sum"), Signature("tasks.double")])
            let handle = try await client.send(workflow)
            #expect(await eventually { worker.tasks.count == 1 })
            let body = try #require(handle.parent)
            let header = try #require(body.parentGroup)
            #expect(handle.parentGroup == nil)
            #expect(header.members.count == 2)
            #expect(header.parent?.id == worker.tasks.first?.headers.id || header.members.first?.parent != nil)
        }
    }

    @Test func aFailedBodyFailsTheHandle() async throws {
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            let handle = try await client.send(Group([Tasks.add(1, 2), Tasks.add(3, 4)]).then(Self.sum))
            let exception = ExceptionInfo(type: "ChordError", module: "celery.exceptions", arguments: ["Dependency"])
            let failure = ResultMessage(taskID: handle.id, state: .failure, result: exception.json)
            broker.send(failure, to: client.core.backend.replyQueue)
            let error = await #expect(throws: TaskFailure.self) { try await handle.value(timeout: .seconds(60)) }
            #expect(error?.type == "ChordError")
        }
    }

    @Test func signaturesOfChordsAndEnqueuedOnes() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, worker in
            let chord = Chord([Signature("a"), Signature("b")], then: Signature("c"))
            let read = try Signature(decoding: JSONValue(parsing: chord.signature.json.serialized()))
            let handle = try await client.send(read)
            #expect(handle.parentGroup?.members.count == 2)
            try await client.enqueue(chord)
            #expect(await eventually { worker.tasks.count == 4 })
            // Nobody waits, but the collector has to hear of the members.
            let silent = worker.tasks.suffix(2)
            #expect(silent.allSatisfy { $0.headers.ignoreResult != true })
            #expect(silent.allSatisfy { $0.body.embed.chord?["options"]?["reply_to"] == nil })
        }
    }

    @Test func chunksAreEnqueuedAsTheirParts() async throws {
        try await withClient(answer: FakeWorker.silent) { client, _, worker in
            try await client.enqueue(Chunks(Tasks.add, [(1, 1), (2, 2), (3, 3)], of: 2))
            #expect(await eventually { worker.tasks.count == 2 })
            #expect(worker.tasks.map(\.headers.task) == ["celery.starmap", "celery.starmap"])
            let none = await #expect(throws: CeleryError.self) {
                try await client.send(Chunks(Tasks.add, [(1, 1)], of: 0))
            }
            #expect(none?.code == .invalidSignature)
        }
    }
}
