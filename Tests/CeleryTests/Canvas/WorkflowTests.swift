import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery

@Suite("Canvas: workflows as values")
struct WorkflowTests {
    private static let sum = TaskName("tasks.sum", [Int].self, returning: Int.self)
    private static let sumKnown = TaskName("tasks.sumKnown", [Int?].self, returning: Int.self)

    /// What cannot be written as JSON.
    private struct Unwritable: Codable, Sendable {
        func encode(to encoder: any Encoder) throws {
            throw EncodingError.invalidValue(self, .init(codingPath: [], debugDescription: "no"))
        }
    }

    @Test func policiesTravelInHeaders() {
        let group = Group([Tasks.add(1, 2), Tasks.add(3, 4)])
        #expect(group.signature.options.isEmpty)
        #expect(group.signature.failurePolicy == .fail)
        let ignoring = group.onFailure(.ignore)
        #expect(ignoring.failurePolicy == .ignore)
        #expect(ignoring.signature.options == ["headers": ["swcelery_group_policy": "ignore"]])
        #expect(ignoring.signature.failurePolicy == .ignore)
        #expect(ignoring.sentSignature.options.isEmpty)
        let chord = group.continuingOnFailure().then(Self.sumKnown)
        #expect(chord.failurePolicy == .continue)
        #expect(chord.signature.options == ["headers": ["swcelery_group_policy": "continue"]])
        #expect(chord.onFailure(.fail).signature.options.isEmpty)
        // A group among the steps of a chain hands its policy to the chord that it becomes.
        let chain = Chain([Signature("a"), ignoring.signature, Signature("b")]).signature
        let step = chain.memberSignatures.last
        #expect(step?.subtaskType == "chord")
        #expect(step?.failurePolicy == .ignore)
        #expect(step?.memberSignatures.map { $0.options } == [[:], [:]])
    }

    @Test func optionsOfAGroupCountForTheHeaderOfItsChord() {
        let group = Group([Tasks.add(1, 2)]).with(TaskOptions(queue: "q", taskID: "id"))
        #expect(group.signature.options == ["queue": "q", "task_id": "id"])
        let chord = group.then(Self.sum).with(TaskOptions(countdown: .seconds(3)))
        #expect(chord.header.map { $0.options } == [["queue": "q"]])
        #expect(chord.signature.options == ["countdown": 3])
    }

    @Test func optionsOfAGroupWithinAChainCountForItsMembers() async throws {
        var options = TaskOptions(queue: "gpu", taskID: "group")
        options.headers["trace"] = "t"
        let group = Group([Tasks.add(1, 2), Tasks.add(3, 4)]).with(options).onFailure(.continue)
        let chain = Chain([group.signature, Signature("tasks.sum")])
        let chord = chain.signature
        #expect(chord.subtaskType == "chord")
        #expect(chord.options == ["headers": ["swcelery_group_policy": "continue"]])
        let own: JSONObject = ["queue": "gpu", "headers": ["trace": "t"]]
        #expect(chord.memberSignatures.map { $0.options } == [own, own])
        try await withClient(answer: FakeWorker.silent) { client, broker, _ in
            _ = try await client.send(chain)
            _ = try await client.send(chord)
            try await client.enqueue(chain)
            let messages = broker.messages(in: "gpu")
            #expect(messages.count == 6)
            #expect(Set(messages.map { $0.properties.correlationID }).count == 6)
            for message in messages {
                #expect(message.properties.headers?["trace"] == "t")
                #expect(message.properties.headers?[GroupFailurePolicy.header] == nil)
            }
        }
        // Of groups that are no chord yet, and of a single task.
        let single = Chain([Signature("first"), Group([Tasks.add(1, 2)]).with(TaskOptions(queue: "gpu")).signature])
        #expect(single.signature.memberSignatures.last?.options == ["queue": "gpu"])
        let twice = Chain([group.signature, Group([Tasks.add(1, 2), Tasks.add(3, 4)]).signature]).signature
        #expect(twice.memberSignatures.first?.memberSignatures.map { $0.options } == [own, own])
    }

    @Test func immutableGroupsAndCalls() {
        let group = Group(Tasks.add(1, 2), Chain(Tasks.add(1, 2)), Chord([Tasks.add(1, 2)], then: Self.sum))
        #expect(group.members.map { $0.subtaskType } == [nil, "chain", "chord"])
        #expect(group.immutable().members.map { $0.isImmutable } == [true, true, true])
        let chord = Group([Tasks.add(1, 2)]).then(Tasks.notify("done"))
        #expect(chord.body.isImmutable)
        #expect(chord.then(Tasks.notify("again")).body.memberSignatures.map { $0.isImmutable } == [true, true])
    }

    @Test func errorsOfPartsComeToLight() throws {
        let bad = TaskName("tasks.bad", Unwritable.self, returning: Int.self)
        let call = bad(Unwritable())
        let workflows: [any Workflow] = [
            Group([call]), Chord([call], then: Self.sum), Chain(call).then(Group([Tasks.add(1, 2)])),
            Group([Tasks.add(1, 2)]).then(bad(Unwritable())), Map(bad, [Unwritable()]),
            Chunks(bad, [Unwritable()], of: 1), Tasks.add(1, 2).link(call), Group([Tasks.add(1, 2)]).onError(call),
            Chord([Tasks.add(1, 2)], then: Self.sum).link(call),
            Chain([Group([Tasks.add(1, 2)]).signature, call.signature]),
        ]
        for workflow in workflows { #expect(workflow.signature.encodingError?.code == .encoding) }
    }

    @Test func unreadableMembersAreNotDropped() throws {
        let wire = SignatureWire(task: "celery.group", kwargs: ["tasks": [["task": "a"], 7]], subtaskType: "group")
        let chain = Chain([Signature("first"), Signature(wire: wire), Signature("last")]).signature
        let steps = try #require(chain.kwargs["tasks"]?.arrayValue)
        #expect(steps.count == 3)
        #expect(steps[1] == wire.json)
        let composer = TaskComposer(configuration: CeleryConfiguration())
        let error = #expect(throws: CeleryError.self) { try composer.compose(chain, context: SendContext()) }
        #expect(error?.code == .invalidSignature)
    }

    @Test func manyAlternationsStayWithinTheDepthOfMessages() throws {
        var steps: [Signature] = [Signature("first")]
        for _ in 0..<40 {
            steps.append(Group([Signature("a"), Signature("b")]).signature)
            steps.append(Signature("join"))
        }
        let text = Chain(steps).signature.json.serialized()
        #expect(try Signature(decoding: JSONValue(parsing: text)) == Chain(steps).signature)
    }

    @Test func stampingStopsAtADepthThatNoMessageHas() {
        var signature = Signature("deep")
        for _ in 0..<(JSONLimits.greatestDepth + 2) {
            signature = Signature(
                wire: SignatureWire(task: "celery.chain", kwargs: ["tasks": [signature.json]], subtaskType: "chain")
            )
        }
        let stamped = signature.stamp(["a": "1"])
        #expect(stamped.subtaskType == "chain")
    }

    @Test func chunksAreGroupsOfStarmaps() throws {
        let chunks = Chunks(Tasks.add, (0..<5).map { ($0, $0) }, of: 2)
        let group = try chunks.group()
        #expect(group.members.map { $0.task } == ["celery.starmap", "celery.starmap", "celery.starmap"])
        #expect(group.members.last?.kwargs["it"] == [[4, 4]])
        #expect(chunks.signature.routeName == "tasks.add")
        #expect(Signature("other").routeName == nil)
        let error = #expect(throws: CeleryError.self) { try Chunks(Tasks.add, [(1, 1)], of: 0).group() }
        #expect(error?.code == .invalidSignature)
    }

    @Test func mapsGoWhereTheirTasksGo() throws {
        var configuration = CeleryConfiguration()
        configuration.taskRoutes = [.exact("tasks.add", "sums")]
        let composer = TaskComposer(configuration: configuration)
        let starmap = Starmap(Tasks.add, [(1, 2)]).with(TaskOptions(priority: 2))
        let task = try #require(composer.compose(starmap.signature, context: SendContext()).tasks.first)
        #expect(task.message.routingKey == "sums")
        #expect(task.message.properties.priority == 2)
        let group = try #require(try Chunks(Tasks.add, [(1, 2), (3, 4)], of: 1).signature.chunksGroup())
        let chunks = try composer.compose(group, context: SendContext())
        #expect(chunks.tasks.map { $0.message.routingKey } == ["sums", "sums"])
        #expect(chunks.groupID != nil)
    }
}
