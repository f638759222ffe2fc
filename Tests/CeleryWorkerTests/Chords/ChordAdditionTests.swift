import AMQP
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import Celery
@testable import CeleryWorker

@Suite("Chords: members that join later")
struct ChordAdditionTests {
    @Test("the body waits for what a member has added, and gets it last")
    func waits() throws {
        var queue = LedgerQueue()
        queue.announce("a", "b")
        queue.add("x")
        queue.succeed("a", 1)
        queue.succeed("b", 2)
        #expect(queue.endings.isEmpty)
        queue.succeed("x", 3)
        #expect(queue.endings.map(\.outcome) == [.body([1, 2, 3])])
        #expect(queue.forwards["x"] == ["r-x"])
        queue.publishedAll()
        queue.forwardedAll()
        #expect(queue.acked == [1, 2, 3, 4, 5])
        #expect(queue.ledger.isEmpty)
        #expect(queue.ledger.bytes == 0)
    }

    @Test("what is added twice counts once, and its result may have come before")
    func twice() {
        var queue = LedgerQueue()
        queue.announce("a")
        queue.succeed("x", 3)
        queue.add("x", "x")
        queue.add("x")
        queue.succeed("a", 1)
        #expect(queue.endings.map(\.outcome) == [.body([1, 3])])
    }

    @Test("the time for additions does not grow with the square of the members", .timeLimit(.minutes(5)))
    func many() {
        var queue = LedgerQueue()
        let count = 20_000
        queue.announce((0..<count).map { "a\($0)" })
        for number in 0..<count { queue.add("x\(number)") }
        for number in 0..<count { queue.succeed("a\(number)", 1) }
        #expect(queue.endings.isEmpty)
        for number in 0..<count { queue.succeed("x\(number)", 2) }
        #expect(
            queue.endings.map(\.outcome) == [
                .body(Array(repeating: 1, count: count) + Array(repeating: 2, count: count))
            ]
        )
        queue.finishAll()
        #expect(queue.ledger.isEmpty && queue.ledger.bytes == 0)
    }

    @Test("an addition to a chord that is over is let go of")
    func late() {
        var queue = LedgerQueue()
        queue.announce("a")
        queue.succeed("a", 1)
        queue.add("x")
        queue.add("y", group: "unknown")
        #expect(queue.acked == [3, 4])
        #expect(queue.endings.map(\.outcome) == [.body([1])])
    }

    @Test("an addition is read as it is written, and nothing else is one")
    func message() throws {
        let addition = ChordAddition(groupID: "g", members: [.init(id: "a", replyTo: "r"), .init(id: "b")])
        let message = addition.message(to: "queue")
        #expect(message.routingKey == "queue")
        #expect(message.properties.deliveryMode == 2)
        #expect(try ChordAddition(decoding: message.body) == addition)
        for text in [
            "{}", #"{"group_id": "g"}"#, #"{"group_id": "g", "adds": []}"#, #"{"group_id": 1, "adds": [["a", null]]}"#,
            #"{"group_id": "g", "adds": [["a"]]}"#, #"{"group_id": "g", "adds": [[1, null]]}"#, "[",
        ] {
            #expect(throws: ProtocolError.self) { try ChordAddition(decoding: Array(text.utf8)) }
        }
    }

    private static func register(_ tasks: inout TaskRegistry) {
        tasks.register("proj.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("proj.sum", arguments: "numbers") { (numbers: [Int]) in numbers.reduce(0) { $0 * 10 + $1 } }
        tasks.registerUntyped("proj.grow") { context, args, _ in
            let further = Signature("proj.add", args: [1, 2])
            let id = try await context.addToChord(further)
            let chain = Chain([Signature("proj.add", args: [1, 1]), Signature("proj.add", args: [2])]).signature
            let second = try await context.addToChord(chain)
            return id == second ? 0 : 5
        }
        tasks.registerUntyped("proj.lonely") { context, _, _ in
            do {
                try await context.addToChord(Signature("proj.add", args: [1, 2]))
                return "joined"
            } catch let error as CeleryError {
                return .string(error.code.description)
            }
        }
    }

    @Test("a running member adds a task and a chain to its chord")
    func worker() async throws {
        try await WorkerHarness.run(register: Self.register) { harness in
            let members = [Signature("proj.grow"), Signature("proj.add", args: [3, 3])]
            let chord = Signature(
                wire: SignatureWire(
                    task: "celery.chord",
                    kwargs: ["header": .array(members.map(\.json)), "body": Signature("proj.sum").json],
                    subtaskType: "chord"
                )
            )
            let context = SendContext(replyTo: WorkerHarness.replies)
            let composition = try harness.composer.compose(chord, context: context)
            for message in composition.manifests + composition.tasks {
                if let queue = message.queue { harness.broker.declareQueue(queue.declaration) }
                try harness.broker.publish(message.message)
            }
            let body = try #require(composition.lineage.last)
            #expect(try await harness.result(of: body).result == 5634)
            let lonely = try harness.send("proj.lonely")
            #expect(try await harness.result(of: lonely).result == "invalidOption")
        }
    }

    @Test("ids are the same when the member runs again")
    func ids() throws {
        let composer = TaskComposer(configuration: CeleryConfiguration())
        var headers = TaskHeaders(task: "proj.grow", id: "member")
        headers.group = "group"
        headers.groupIndex = 1
        var body = TaskBody(args: [])
        body.embed.chord = Signature("proj.sum").json
        let message = TaskMessage(headers: headers, body: body, replyTo: "swcelery.chord.0")
        func compose(_ signature: Signature, _ ordinal: Int) throws -> Composition {
            try composer.addToChord(of: message, signature, ordinal: ordinal, context: SendContext())
        }
        let first = try compose(Signature("proj.add"), 0)
        #expect(first.lineage == (try compose(Signature("proj.add"), 0)).lineage)
        #expect(first.lineage != (try compose(Signature("proj.add"), 1)).lineage)
        let sent = try #require(first.tasks.first?.message)
        let task = try TaskMessage.decode(properties: sent.properties, body: sent.body)
        #expect(task.replyTo == "swcelery.chord.0")
        #expect(task.headers.group == "group")
        #expect(task.body.embed.chord == body.embed.chord)
        #expect(task.headers.parentID == "member")
        let addition = try ChordAddition(decoding: #require(first.manifests.first).message.body)
        #expect(addition.members == [ChordManifest.Member(id: task.headers.id)])
        let group = Signature(
            wire: SignatureWire(
                task: "celery.group",
                kwargs: ["tasks": [Signature("proj.add").json]],
                subtaskType: "group"
            )
        )
        #expect(throws: CeleryError.self) { try compose(group, 0) }
    }
}
