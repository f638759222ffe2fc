import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

@Suite("What a failed chord tells, and whom")
struct ChordErrorTests {
    private let composer = TaskComposer(configuration: CeleryConfiguration())
    private let context = SendContext(registered: { _ in TaskOptions() })
    private let failure = ChordFailure(
        message: "Dependency m raised ValueError('x')",
        cause: ExceptionInfo(type: "ValueError", module: "builtins", arguments: ["x"]),
        traceback: "all of them"
    )

    private static func task(_ id: String, replyTo: String? = "caller", _ more: JSONObject = [:]) -> Signature {
        var options: JSONObject = ["task_id": .string(id)]
        options["reply_to"] = replyTo.map(JSONValue.string)
        options.merge(more) { _, new in new }
        return GoldenCase.signature(Signature("tasks.\(id)"), options)
    }

    private static func errback(_ name: String) -> JSONValue { Signature("tasks.\(name)").json }

    private func compose(_ body: Signature) throws -> ChordErrorComposition {
        let manifest = ChordManifest(groupID: "group", members: [.init(id: "m")], body: body.json, rootID: "root")
        return try composer.composeChordError(manifest, failure, parentID: "m", context: context)
    }

    private func results(_ composition: ChordErrorComposition) throws -> [ResultMessage] {
        try composition.results.map { try ResultMessage(decoding: $0.body) }
    }

    /// Names of errbacks with the ids that they get.
    private func calls(_ composition: ChordErrorComposition) throws -> [String] {
        try composition.errbacks.tasks.map {
            let message = try TaskMessage.decode(properties: $0.message.properties, body: $0.message.body)
            return
                "\(message.headers.task) \(message.body.args.compactMap(\.stringValue).joined()) \(message.headers.rootID ?? "")"
        }
    }

    @Test func aTaskFailsWithTheChordError() throws {
        let body = Self.task("body", ["group_id": "group", "link_error": [Self.errback("err")]])
        let composition = try compose(body)
        let result = try #require(results(composition).first)
        #expect(composition.results.map(\.routingKey) == ["caller"])
        #expect(composition.results.map(\.properties.deliveryMode) == [1])
        #expect(composition.results.map(\.properties.correlationID) == ["body"])
        #expect(result.taskID == "body")
        #expect(result.state == .failure)
        #expect(result.exception == failure.error)
        #expect(result.exception?.pythonRepr == #"ChordError("Dependency m raised ValueError('x')")"#)
        #expect(result.traceback == "all of them")
        #expect(result.groupID == "group")
        #expect(try calls(composition) == ["tasks.err body root"])
    }

    @Test func whatFollowsTheBodyFailsToo() throws {
        let collector = ChordCollector(CeleryConfiguration()).queue(forGroup: "outer").name
        let group = GoldenCase.group([Self.task("g1", replyTo: collector), Self.task("g2", replyTo: collector)])
        let chain: JSONValue = [group.json, Self.task("next").json, ["not": "a signature"]]
        let composition = try compose(Self.task("body", replyTo: nil, ["chain": chain]))
        #expect(try results(composition).map(\.taskID) == ["g1", "g2", "next"])
        #expect(composition.results.map(\.routingKey) == [collector, collector, "caller"])
        // An enclosing chord's parts survive a restart of the broker.
        #expect(composition.results.map(\.properties.deliveryMode) == [2, 2, 1])
        #expect(composition.errbacks.tasks.isEmpty)
    }

    @Test func allStepsOfAChainFail() throws {
        let steps = [Self.task("one", ["link_error": [Self.errback("own")]]), Self.task("two")]
        var body = GoldenCase.signature(Chain(steps).signature, ["task_id": "two"])
        body.wire.options["link_error"] = [Self.errback("err")]
        let composition = try compose(body)
        #expect(try results(composition).map(\.taskID) == ["one", "two"])
        // Those of a step are for a step that ran.
        #expect(try calls(composition) == ["tasks.err two root"])
    }

    @Test func membersOfAGroupFailWithTheCause() throws {
        let chain = GoldenCase.signature(Chain([Self.task("c1"), Self.task("c2")]).signature, ["task_id": "c2"])
        let members = [Self.task("a", ["link_error": [Self.errback("own"), Self.errback("all")]]), chain]
        let body = GoldenCase.signature(
            GoldenCase.group(members),
            ["task_id": "gid", "link_error": [Self.errback("all")]]
        )
        let composition = try compose(body)
        let results = try results(composition)
        #expect(results.map(\.taskID) == ["a", "c1", "c2"])
        #expect(results.allSatisfy { $0.exception == failure.cause })
        #expect(try calls(composition) == ["tasks.own a root", "tasks.all a root", "tasks.all c2 root"])
    }

    @Test func anErrbackThatCannotBeSentHidesNothing() throws {
        let good = Self.errback("good")
        let broken: [JSONValue] = [["not": "a signature"], Self.task("gone", ["queue": 1]).json]
        let member = Self.task("a", ["link_error": .array([broken[0], good, broken[1]])])
        let other = Self.task("b", ["link_error": [good]])
        let composition = try compose(GoldenCase.group([member, other]))
        #expect(try results(composition).map(\.taskID) == ["a", "b"])
        #expect(try calls(composition) == ["tasks.good a root", "tasks.good b root"])
        #expect(composition.refusedErrbacks.count == 2)
    }

    @Test func aChordFailsByItsBody() throws {
        var inner = GoldenWorkflow.chord([Self.task("h")], Self.task("b", ["link_error": [Self.errback("body")]]))
        inner.wire.options = ["task_id": "header", "link_error": [Self.errback("chord")]]
        let composition = try compose(inner)
        #expect(try results(composition).map(\.taskID) == ["h", "b"])
        #expect(try calls(composition) == ["tasks.chord b root", "tasks.body b root"])
    }

    @Test func thoseWhoIgnoreResultsAreNotTold() throws {
        let composition = try compose(Self.task("body", ["ignore_result": true]))
        #expect(composition.results.isEmpty)
        #expect(throws: CeleryError.self) {
            try compose(Signature(wire: SignatureWire(task: "", subtaskType: "chord")))
        }
    }

    @Test func theBodyGetsTheResultsAndItsParent() throws {
        let manifest = ChordManifest(
            groupID: "group",
            members: [.init(id: "m"), .init(id: "n")],
            body: Self.task("body").json
        )
        let composition = try composer.composeChordBody(manifest, results: [1, nil], parentID: "n", context: context)
        let task = try #require(composition.tasks.first)
        let message = try TaskMessage.decode(properties: task.message.properties, body: task.message.body)
        #expect(message.body.args == [[1]])
        #expect(message.headers.id == "body")
        #expect(message.headers.parentID == "n")
        #expect(message.headers.rootID == "n")
        #expect(message.replyTo == "caller")
    }
}
