import AMQP
import CeleryProtocol
import Testing

@testable import Celery

@Suite("What follows a task")
struct FollowerTests {
    private let composer = TaskComposer(configuration: CeleryConfiguration())
    private let context = SendContext(registered: { $0 == "tasks.elsewhere" ? nil : TaskOptions() })

    private func parent() -> TaskMessage {
        var headers = TaskHeaders(task: "tasks.add", id: "parent")
        headers.rootID = "root"
        return TaskMessage(headers: headers, body: TaskBody(args: [1, 2]), replyTo: "callers-queue")
    }

    @Test func errbacksAreOneGroupThatGetsTheID() throws {
        let errbacks = [Signature("tasks.errback_id"), Signature("tasks.elsewhere", args: ["x"])].map(\.json)
        let tasks = try composer.composeErrbacks(errbacks, after: parent().headers, context: context).tasks
        let messages = try tasks.map {
            try TaskMessage.decode(properties: $0.message.properties, body: $0.message.body)
        }
        #expect(messages.map(\.headers.task) == ["tasks.errback_id", "tasks.elsewhere"])
        #expect(messages.map(\.headers.groupIndex) == [0, 1])
        #expect(Set(messages.map(\.headers.group)).count == 1)
        #expect(messages.map(\.body.args) == [["parent"], ["parent", "x"]])
        #expect(messages.map(\.headers.argsrepr) == ["('parent',)", "('parent', 'x')"])
        // Where the worker does not know the task, whether its result is wanted stays open.
        #expect(messages.map(\.headers.ignoreResult) == [false, nil])
        for message in messages {
            #expect(message.headers.parentID == "parent")
            #expect(message.headers.rootID == "root")
            #expect(message.replyTo == nil)
        }
    }

    @Test func stampsOfAStepTravel() throws {
        var parent = parent()
        var step = Signature("tasks.mul", args: [3])
        step.wire.options = ["task_id": "next", "mark": "red", "stamped_headers": ["mark"]]
        parent.body.embed.chain = [step.json]
        let task = try #require(composer.composeChainStep(after: parent, result: 3, context: context).tasks.first)
        let headers = try TaskHeaders(decoding: #require(task.message.properties.headers))
        #expect(headers.stampedHeaders == ["mark"])
        #expect(headers.stamps["mark"] == "red")
        #expect(headers.id == "next")
    }

    @Test func childrenBelongToTheRunningTask() throws {
        let composition = try composer.compose(
            Signature("tasks.add", args: [1, 1]),
            context: context.within(parent().headers)
        )
        let headers = try TaskHeaders(decoding: #require(composition.tasks.first?.message.properties.headers))
        #expect(headers.parentID == "parent")
        #expect(headers.rootID == "root")
    }

    @Test func priorityIsHandedOnWhereAsked() throws {
        var context = context
        context.inheritedPriority = 7
        var parent = parent()
        parent.body.embed.chain = [Signature("tasks.mul", args: [3]).json]
        parent.body.embed.callbacks = [Signature("tasks.mul", args: [3], options: TaskOptions(priority: 1)).json]
        let tasks =
            try composer.composeChainStep(after: parent, result: 3, context: context).tasks
            + composer.composeCallbacks(after: parent, result: 3, context: context).tasks
        #expect(tasks.map(\.message.properties.priority) == [7, 7])
    }

    @Test func aGroupHandsTheRestOfTheChainToEachMember() throws {
        var parent = parent()
        let inner = Chain([GoldenCase.mul(1), GoldenCase.mul(2)]).signature
        let rest: [JSONValue] = [Signature("tasks.last").json, Signature("tasks.later").json]
        parent.body.embed.chain = rest + [GoldenCase.group([GoldenCase.add(1), inner]).json]
        let tasks = try composer.composeChainStep(after: parent, result: 3, context: context).tasks
        let messages = try tasks.map {
            try TaskMessage.decode(properties: $0.message.properties, body: $0.message.body)
        }
        #expect(messages.map(\.headers.task) == ["tasks.add", "tasks.mul"])
        #expect(messages.map(\.body.args) == [[3, 1], [3, 1]])
        #expect(messages[0].body.embed.chain == rest)
        // A chain's own further steps run before what follows the group.
        let names = messages[1].body.embed.chain?.compactMap { $0["task"]?.stringValue }
        #expect(names == ["tasks.last", "tasks.later", "tasks.mul"])
        #expect(messages[0].headers.group != nil)
        // Of a chain, only the last task belongs to the group.
        #expect(messages[1].headers.group == nil)
        let last = messages[1].body.embed.chain?.last?["options"]
        #expect(last?["group_id"]?.stringValue == messages[0].headers.group)
        #expect(last?["group_index"] == 1)
    }

    @Test func malformedFollowersAreErrors() throws {
        for malformed: JSONValue in [
            ["args": []], ["task": 1], ["task": "t", "options": ["countdown": "soon"]],
            ["task": "celery.chain", "subtask_type": "chain"], ["task": "celery.chord", "subtask_type": "chord"],
            ["task": "celery.chord", "subtask_type": "chord", "kwargs": ["header": []]],
        ] {
            var parent = parent()
            parent.body.embed.callbacks = [malformed]
            let error = #expect(throws: CeleryError.self) {
                try composer.composeCallbacks(after: parent, result: 3, context: context)
            }
            #expect(error?.code == .invalidSignature)
        }
    }

    @Test func aGroupOfOneIsItsMemberAndAnEmptyOneNothing() throws {
        let steps = [
            GoldenCase.group([]), GoldenCase.group([GoldenCase.add(1, 2)]), GoldenCase.group([]), GoldenCase.mul(3),
        ]
        let composition = try composer.compose(chain: steps, context: context)
        #expect(composition.lineage.count == 2)
        #expect(composition.tasks.map(\.task) == ["tasks.add"])
    }
}
