import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Chords are led to their collector")
struct ChordCompositionTests {
    private let composer = TaskComposer(configuration: CeleryConfiguration())
    private let context = SendContext(
        now: Date(timeIntervalSince1970: 1_000_000),
        replyTo: "caller",
        registered: { _ in TaskOptions() }
    )

    private static let sum = Signature("tasks.sum")

    private static func task(_ name: String, _ options: JSONObject = [:]) -> Signature {
        GoldenCase.signature(Signature("tasks.\(name)"), options)
    }

    private static func chord(_ header: [Signature], _ body: Signature = sum, _ options: JSONObject = [:]) -> Signature
    {
        GoldenCase.signature(GoldenWorkflow.chord(header, body), options)
    }

    private func manifests(_ composition: Composition) throws -> [ChordManifest] {
        try composition.manifests.map { try ChordManifest(decoding: JSONValue(parsing: $0.message.body)) }
    }

    private func messages(_ composition: Composition) throws -> [TaskMessage] {
        try composition.tasks.map {
            try TaskMessage.decode(properties: $0.message.properties, body: $0.message.body)
        }
    }

    @Test func completingTasksReplyToTheCollector() throws {
        let chain = Chain([Self.task("a"), Self.task("b", ["ignore_result": true])]).signature
        let composition = try composer.compose(
            Self.chord([Self.task("c", ["reply_to": "other"]), chain, Self.task("d", ["ignore_result": true])]),
            context: context
        )
        let manifest = try #require(manifests(composition).first)
        let queue = ChordCollector(CeleryConfiguration()).queue(forGroup: manifest.groupID).name
        #expect(composition.manifests.map(\.message.routingKey) == [queue])
        let messages = try messages(composition)
        #expect(messages.map(\.headers.task) == ["tasks.c", "tasks.a", "tasks.d"])
        #expect(messages.map(\.replyTo) == [queue, "caller", queue])
        #expect(messages.map(\.headers.ignoreResult) == [false, false, false])
        let last = try #require(messages[1].body.embed.chain?.first?["options"])
        #expect(last["reply_to"]?.stringValue == queue)
        #expect(last["ignore_result"] == false)
        let ids = [messages[0].headers.id, try #require(last["task_id"]?.stringValue), messages[2].headers.id]
        #expect(manifest.members.map(\.id) == ids)
        // Nobody waits for those who ignore their results.
        #expect(manifest.members.map(\.replyTo) == ["other", nil, nil])
        #expect(manifest.body["options"]?["reply_to"] == "caller")
        #expect(manifest.shape == nil)
    }

    @Test func whatIsGivenWithTheSendDoesNotHideTheCollector() throws {
        let composition = try composer.compose(
            Self.chord([Self.task("a"), Self.task("b")]),
            options: TaskOptions(ignoreResult: true, replyTo: "mine"),
            context: context
        )
        let manifest = try #require(manifests(composition).first)
        #expect(manifest.members.map(\.replyTo) == [nil, nil])
        #expect(manifest.body["options"]?["reply_to"] == "mine")
        #expect(manifest.body["options"]?["ignore_result"] == true)
        for message in try messages(composition) {
            #expect(message.replyTo?.hasPrefix("swcelery.chord.") == true)
            #expect(message.headers.ignoreResult == false)
        }
    }

    @Test func workersHaveNoReplyQueueOfTheirOwn() throws {
        var context = context
        context.replyTo = nil
        let composition = try composer.compose(Self.chord([Self.task("a")]), context: context)
        let manifest = try #require(manifests(composition).first)
        #expect(manifest.members.map(\.replyTo) == [nil])
        #expect(manifest.body["options"]?["reply_to"] == nil)
    }

    @Test func nestedChordsCompleteByTheirBodies() throws {
        let inner = Self.chord([Self.task("b"), Self.task("c")], Self.task("inner"))
        let composition = try composer.compose(Self.chord([Self.task("a"), inner]), context: context)
        let manifests = try manifests(composition)
        #expect(manifests.count == 2)
        let body = try #require(manifests[1].body["options"])
        #expect(
            manifests[0].members.map(\.id) == [try messages(composition)[0].headers.id, body["task_id"]?.stringValue]
        )
        #expect(manifests[0].members.map(\.replyTo) == ["caller", "caller"])
        // The inner body reports to the outer chord.
        let outer = ChordCollector(CeleryConfiguration()).queue(forGroup: manifests[0].groupID).name
        #expect(body["reply_to"]?.stringValue == outer)
        #expect(body["chord"]?["task"] == "tasks.sum")
        #expect(manifests[0].body["options"]?["reply_to"] == "caller")
    }

    @Test func groupsAtTheEndOfChainsAreLists() throws {
        let group = GoldenCase.group([Self.task("b"), Self.task("c")])
        let chain = Chain([Self.task("a"), group]).signature
        let nested = Self.chord([Self.task("e")], GoldenCase.group([Self.task("f")]))
        let composition = try composer.compose(Self.chord([chain, Self.task("d"), nested]), context: context)
        let manifest = try #require(manifests(composition).first)
        #expect(manifest.members.count == 4)
        #expect(manifest.shape == [.list([.task, .task]), .task, .list([.task])])
        #expect(manifest.bodyArgument([1, 2, 3, 4]) == [[1, 2], 3, [4]])
        #expect(manifest.bodyArgument([nil, 2, nil, 4]) == [[2], [4]])
        let read = try ChordManifest(decoding: manifest.json)
        #expect(read == manifest)
        var json = try #require(manifest.json.objectValue)
        for shape: JSONValue in [[true, true], [[true, true], true, 1], ["x"], true] {
            json["shape"] = shape
            #expect(throws: ProtocolError.self) { try ChordManifest(decoding: .object(json)) }
        }
    }

    @Test func thePolicyStandsInTheManifestAlone() throws {
        let policy: JSONObject = ["headers": ["swcelery_group_policy": "ignore", "h": 1]]
        let group = GoldenCase.signature(GoldenCase.group([Self.task("a"), Self.task("b")]), policy)
        for signature in [
            Self.chord([Self.task("a"), Self.task("b")], Self.sum, policy), Chain([group, Self.sum]).signature,
        ] {
            let composition = try composer.compose(signature, context: context)
            #expect(try manifests(composition).map(\.policy) == [.ignore])
            for message in try messages(composition) { #expect(message.headers.custom["swcelery_group_policy"] == nil) }
        }
        // In a step of a chain it travels.
        let chain = try composer.compose(chain: [Self.task("first"), group, Self.sum], context: context)
        let step = try #require(messages(chain).first?.body.embed.chain?.last)
        var parent = try messages(chain)[0]
        parent.body.embed.chain = [step]
        let sent = try composer.composeChainStep(after: parent, result: 1, context: context)
        #expect(try manifests(sent).map(\.policy) == [.ignore])
        let unknown = Self.chord([Self.task("a")], Self.sum, ["headers": ["swcelery_group_policy": "maybe"]])
        #expect(throws: CeleryError.self) { try composer.compose(unknown, context: context) }
    }

    @Test func theDeadlineCountsFromTheStart() throws {
        let chord = Self.chord([Self.task("a")])
        let day = 86_400.0
        let now = try #require(manifests(composer.compose(chord, context: context)).first?.deadline)
        #expect(now.date.timeIntervalSince(context.now) == day)
        let options = TaskOptions(countdown: .seconds(50))
        let later = try #require(manifests(composer.compose(chord, options: options, context: context)).first?.deadline)
        #expect(later.date.timeIntervalSince(context.now) == day + 50)
    }

    @Test func theResultTellsOfTheHeader() throws {
        let chord = Self.chord([Self.task("a"), Chain([Self.task("b"), Self.task("c")]).signature])
        let composition = try composer.compose(chain: [Self.task("first"), chord], context: context)
        let result = try #require(composition.result)
        #expect(composition.lineage == [result.id])
        let header = try #require(result.parent)
        #expect(header.members?.count == 2)
        #expect(header.members?[1].parent != nil)
        let first = try messages(composition)[0].headers.id
        #expect(header.parent?.id == first)
        #expect(composition.children == [ResultTuple(id: first)])
        #expect(try composer.compose(chain: [Self.task("a"), Self.task("b")], context: context).result == nil)
    }

    @Test func hostileWorkflowsAreRefused() throws {
        var deep = Self.task("a")
        for _ in 0..<60 { deep = Self.chord([deep]) }
        let twice = Self.task("a", ["task_id": "same"])
        let large = Self.chord(
            (0..<600).map { _ in Self.task("a") },
            Signature("tasks.sum", args: [.string(String(repeating: "x", count: 1 << 20))])
        )
        let groups = (0..<100).map { _ in GoldenCase.group([Self.task("a"), Self.task("b")]) }
        let chain = Signature(
            wire: SignatureWire(
                task: "celery.chain",
                kwargs: ["tasks": .array(groups.map(\.json) + [Self.sum.json])],
                subtaskType: "chain"
            )
        )
        for signature in [deep, Self.chord([twice, twice]), large, chain] {
            let error = #expect(throws: CeleryError.self) { try composer.compose(signature, context: context) }
            #expect(error?.code == .invalidSignature)
        }
    }

    @Test func aLongChainIsNoProblem() throws {
        let steps = (0..<20_000).map { _ in Self.task("a") }
        let composition = try composer.compose(chain: steps + [Self.chord([Self.task("b")])], context: context)
        #expect(composition.tasks.count == 1)
        #expect(try messages(composition)[0].body.embed.chain?.count == 20_000)
        #expect(composition.result?.parent?.members?.count == 1)
    }
}
