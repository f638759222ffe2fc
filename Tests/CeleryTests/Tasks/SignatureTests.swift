import AMQP
import CeleryProtocol
import Testing

@testable import Celery

@Suite("Signatures")
struct SignatureTests {
    @Test func packsOfArguments() {
        let none = TaskName("none", returning: Int.self)
        #expect(none().signature.args == [])
        let three = TaskName("three", Int.self, String?.self, [Double].self, returning: [String: Int].self)
        #expect(three(1, nil, [1.5]).signature.args == [1, nil, [1.5]])
        #expect(three(1, "x", []).signature.task == "three")
    }

    @Test func optionsOfACall() {
        let call = Tasks.add(1, 2).with(TaskOptions(queue: "a", priority: 1)).with(TaskOptions(queue: "b"))
        #expect(call.signature.options == ["queue": "b", "priority": 1])
        #expect(!call.signature.isImmutable)
        #expect(call.immutable().signature.isImmutable)
    }

    @Test func equalityIsThatOfTheWire() throws {
        let call = Tasks.add(1, 2).signature
        let decoded = try Signature(decoding: call.json)
        #expect(call == decoded)
        #expect(Set([call, decoded]).count == 1)
        #expect(call != Tasks.add(2, 1).signature)
    }

    @Test func malformedSignatures() {
        for json: JSONValue in [nil, 1, [], ["args": []], ["task": "t", "args": 1], ["task": "t", "options": []]] {
            let error = #expect(throws: CeleryError.self) { try Signature(decoding: json) }
            #expect(error?.code == .invalidSignature)
        }
    }

    @Test func chainsOfChains() {
        let first = Tasks.add(1, 2).then(Tasks.double)
        let second = Chain(Tasks.double(7)).with(TaskOptions(linkError: [Signature("failed")]))
        let both = first.then(second).with(TaskOptions(taskID: "last"))
        #expect(both.steps.map(\.task) == ["tasks.add", "tasks.double", "tasks.double"])
        #expect(both.options.taskID == "last")
        #expect(both.options.linkError.count == 1)
        let signature = both.signature
        #expect(signature.subtaskType == "chain")
        #expect(signature.kwargs["tasks"]?.arrayValue?.count == 3)
        #expect(signature.options["task_id"] == "last")
        let untyped = first.then(Signature("other"))
        #expect(untyped.steps.last?.task == "other")
    }

    @Test func aChainAsASignatureIsTheSameAsTheChain() throws {
        let composer = TaskComposer(configuration: CeleryConfiguration())
        let chain = Tasks.add(1, 2).then(Tasks.double).with(TaskOptions(link: [Signature("done")]))
        func messages(_ compose: (SendContext) throws -> Composition) rethrows -> [ComposedTask] {
            let ids = IDSequence(["two", "one"])
            let context = SendContext(
                origin: "o",
                replyTo: "r",
                registered: { _ in TaskOptions() },
                makeID: { ids.next() }
            )
            return try compose(context).tasks
        }
        let one = try messages { try composer.compose(chain: chain.steps, options: chain.options, context: $0) }
        let other = try messages { try composer.compose(chain.signature, context: $0) }
        #expect(one.map(\.message) == other.map(\.message))
    }

    @Test func emptyChains() throws {
        let composer = TaskComposer(configuration: CeleryConfiguration())
        let error = #expect(throws: CeleryError.self) { try composer.compose(chain: [], context: SendContext()) }
        #expect(error?.code == .invalidSignature)
        // An empty group sends nothing.
        let nothing = try composer.compose(chain: [GoldenCase.group([])], context: SendContext())
        #expect(nothing.tasks.isEmpty)
        #expect(nothing.groupID != nil)
    }

    @Test func nestedGroupsAreOneGroupWhosePositionsRestart() throws {
        let composer = TaskComposer(configuration: CeleryConfiguration())
        let group = GoldenCase.group([
            Signature("a"), GoldenCase.group([Signature("b"), Signature("c")]), Signature("d"),
        ])
        let composition = try composer.compose(group, context: SendContext())
        let headers = try composition.tasks.map { try TaskHeaders(decoding: #require($0.message.properties.headers)) }
        #expect(headers.map(\.task) == ["a", "b", "c", "d"])
        #expect(headers.map(\.groupIndex) == [0, 0, 1, 2])
        #expect(Set(headers.map(\.group)) == [composition.groupID])
        let error = #expect(throws: CeleryError.self) {
            try composer.compose(group, options: TaskOptions(link: [Signature("x")]), context: SendContext())
        }
        #expect(error?.code == .invalidOption)
    }

    @Test func idsAreRandomUUIDs() {
        #expect(TaskID.make(high: 0, low: 0) == "00000000-0000-4000-8000-000000000000")
        #expect(TaskID.make(high: .max, low: .max) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(
            TaskID.make(high: 0x0123_4567_89ab_cdef, low: 0x0123_4567_89ab_cdef)
                == "01234567-89ab-4def-8123-456789abcdef"
        )
        #expect(Set((0..<1_000).map { _ in TaskID.make() }).count == 1_000)
    }
}
