import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("Bounds of workflows, and what must not get lost in them")
struct WorkflowBoundsTests {
    private let composer = TaskComposer(configuration: CeleryConfiguration())
    private let context = SendContext(
        now: Date(timeIntervalSince1970: 1_000_000),
        replyTo: "caller",
        registered: { _ in TaskOptions() }
    )

    private static func task(_ name: String, _ options: JSONObject = [:]) -> Signature {
        GoldenCase.signature(Signature("tasks.\(name)"), options)
    }

    private func manifests(_ composition: Composition) throws -> [ChordManifest] {
        try composition.manifests.map { try ChordManifest(decoding: JSONValue(parsing: $0.message.body)) }
    }

    private func messages(_ composition: Composition) throws -> [TaskMessage] {
        try composition.tasks.map {
            try TaskMessage.decode(properties: $0.message.properties, body: $0.message.body)
        }
    }

    /// Chords in the headers of chords, all of them with groups as bodies: the body of the innermost one holds that of the
    /// next eleven times, and so on.
    private static func multiplying(levels: Int) -> Signature {
        let body = GoldenCase.group((0..<10).map { _ in task("a") })
        return (0..<levels).reduce(task("a")) { inner, _ in GoldenWorkflow.chord([inner], body) }
    }

    @Test("bodies of nested chords that multiply are refused before they are written")
    func multiplyingBodies() throws {
        var configuration = CeleryConfiguration()
        // What comes before the bound takes its time with a sanitizer.
        configuration.publishMaxBodySize = 4 << 20
        let composer = TaskComposer(configuration: configuration)
        let signature = Self.multiplying(levels: 8)
        #expect(signature.json.serialized().count < 12_000)
        let error = #expect(throws: CeleryError.self) { try composer.compose(signature, context: context) }
        #expect(error?.code == .invalidSignature)
        var message = TaskMessage(headers: TaskHeaders(task: "tasks.first", id: "first"), body: TaskBody())
        message.body.embed.chain = [signature.json]
        #expect(throws: CeleryError.self) {
            try composer.composeChainStep(after: message, result: 1, context: context)
        }
        #expect(try composer.compose(Self.multiplying(levels: 3), context: context).manifests.count == 3)
    }

    @Test("a signature that is larger than any message is refused, and a smaller one is not")
    func largestMessage() throws {
        var configuration = CeleryConfiguration()
        configuration.publishMaxBodySize = 2000
        let composer = TaskComposer(configuration: configuration)
        let text: JSONValue = .string(String(repeating: "x", count: 1000))
        let small = GoldenWorkflow.chord([Self.task("a")], Signature("tasks.sum", args: [text]))
        #expect(try composer.compose(small, context: context).tasks.count == 1)
        let large = GoldenWorkflow.chord([Self.task("a")], Signature("tasks.sum", args: [text, text]))
        let error = #expect(throws: CeleryError.self) { try composer.compose(large, context: context) }
        #expect(error?.code == .invalidSignature)
    }

    @Test("the broker drops no task that a chord waits for: a worker reports that it has expired")
    func expiredMembers() throws {
        let expires: JSONObject = ["expires": 60]
        let tasks = ["b", "c", "d"].map { Self.task($0, expires) }
        let ending = Chain([tasks[0], GoldenCase.group([tasks[1], tasks[2]])]).signature
        let nested = Chain([tasks[0], GoldenWorkflow.chord([tasks[1]], tasks[2])]).signature
        let header = [Self.task("a", expires), Chain(tasks).signature, ending, nested]
        let chord = GoldenWorkflow.chord(header, Self.task("sum", expires))
        let composition = try composer.compose(chord, context: context)
        let members = try messages(composition)
        #expect(members.map(\.headers.task) == ["tasks.a", "tasks.b", "tasks.b", "tasks.b"])
        #expect(members.allSatisfy { $0.expiration == nil && $0.headers.expires != nil })
        let step = try messages(composer.composeChainStep(after: members[1], result: 1, context: context))
        #expect(step.map(\.expiration) == [nil])
        for member in members {
            let retry = try composer.retry(
                member,
                exchange: "",
                routingKey: "work",
                request: RetryRequest(),
                context: context
            )
            #expect(retry.message.properties.expiration == nil)
        }
        // Nobody but its caller waits for the body.
        let manifest = try #require(manifests(composition).first)
        let body = try composer.composeChordBody(manifest, results: [1, 2, 3, 4, 5], parentID: nil, context: context)
        #expect(try messages(body).map(\.expiration) == ["60000"])
        let alone = try messages(composer.compose(chain: tasks, context: context))
        #expect(alone.map(\.expiration) == ["60000"])
    }

    @Test("no result goes round: a member's caller is never a collector")
    func collectorAsCaller() throws {
        let queue = "swcelery.chord.0"
        let chord = GoldenWorkflow.chord(
            [Self.task("a", ["reply_to": .string(queue)]), Self.task("b", ["reply_to": "mine"]), Self.task("c")],
            Self.task("sum")
        )
        let composition = try composer.compose(chord, context: context)
        #expect(try manifests(composition).map { $0.members.map(\.replyTo) } == [[nil, "mine", "caller"]])
        var headers = TaskHeaders(task: "tasks.a", id: "a")
        headers.group = "group"
        var message = TaskMessage(headers: headers, body: TaskBody(), replyTo: "swcelery.chord.1")
        message.body.embed.chord = Self.task("sum").json
        let added = try composer.addToChord(
            of: message,
            Self.task("d", ["reply_to": .string(queue)]),
            ordinal: 0,
            context: context
        )
        let addition = try ChordAddition(decoding: try #require(added.manifests.first).message.body)
        #expect(addition.members.map(\.replyTo) == [nil])
        #expect(try messages(added).map(\.replyTo) == ["swcelery.chord.1"])
    }

    @Test("a chord whose body is a group takes a member's place with one result: the list")
    func replacementWithGroupAsBody() throws {
        let queue = "swcelery.chord.1"
        var headers = TaskHeaders(task: "tasks.old", id: "own")
        headers.group = "group"
        var message = TaskMessage(headers: headers, body: TaskBody(), replyTo: queue)
        message.body.embed.chord = Self.task("sum").json
        let group = GoldenCase.group([Self.task("b"), Self.task("c")])
        let chord = GoldenWorkflow.chord([Self.task("a")], group)
        let sent = try composer.replace(message, with: chord, replyTo: queue, context: context)
        let outer = try #require(manifests(sent).first?.body)
        let body = try #require(outer["kwargs"]?["body"])
        #expect(body["task"] == "celery.accumulate")
        #expect(body["options"]?["task_id"] == "own")
        #expect(body["options"]?["reply_to"]?.stringValue == queue)
        // The members of the group report to their own chord alone.
        let manifest = try #require(manifests(sent).first)
        let next = try composer.composeChordBody(manifest, results: [1], parentID: "a", context: context)
        #expect(try messages(next).map(\.headers.task) == ["tasks.b", "tasks.c"])
        let inner = try #require(manifests(next).first)
        #expect(inner.members.map(\.replyTo).allSatisfy { $0 != queue })
        #expect(inner.body["options"]?["task_id"] == "own")
        for last in [chord, Chain([Self.task("y"), group]).signature] {
            let chain = Chain([Self.task("x"), last]).signature
            let first = try composer.replace(message, with: chain, replyTo: queue, context: context)
            let text = String(decoding: try #require(first.tasks.first).message.body, as: UTF8.self)
            #expect(try messages(first).map(\.headers.task) == ["tasks.x"])
            #expect(text.contains("celery.accumulate"))
        }
    }

    @Test("a task with a long chain behind it is replaced in linear time")
    func longChains() throws {
        var message = TaskMessage(headers: TaskHeaders(task: "tasks.old", id: "own"), body: TaskBody())
        let count = 20_000
        let group = GoldenCase.group([Self.task("g"), Self.task("h")])
        message.body.embed.chain = [group.json] + (0..<count).map { _ in Self.task("a").json }
        let sent = try composer.replace(message, with: Self.task("new"), replyTo: nil, context: context)
        #expect(try messages(sent).map { $0.body.embed.chain?.count } == [count + 1])
        // Each group copies the steps before it.
        message.body.embed.chain = (0..<20_000).map { _ in group.json }
        let error = #expect(throws: CeleryError.self) {
            try composer.replace(message, with: Self.task("new"), replyTo: nil, context: context)
        }
        #expect(error?.code == .invalidSignature)
    }

    @Test("many errbacks of a replaced task are taken over in linear time, up to a bound")
    func manyErrbacks() throws {
        var message = TaskMessage(headers: TaskHeaders(task: "tasks.old", id: "own"), body: TaskBody())
        let errbacks = (0..<20_000).map { Self.task("e\($0)").json }
        message.body.embed.errbacks = errbacks + errbacks
        let sent = try composer.replace(message, with: Self.task("new"), replyTo: nil, context: context)
        #expect(try messages(sent).map { $0.body.embed.errbacks?.count } == [errbacks.count])
        let chain = Chain((0..<1000).map { _ in Self.task("a") }).signature
        message.body.embed.chain = [Self.task("last").json]
        let error = #expect(throws: CeleryError.self) {
            try composer.replace(message, with: chain, replyTo: nil, context: context)
        }
        #expect(error?.code == .invalidSignature)
    }
}
