import AMQP
import CeleryProtocol
import Testing

@testable import Celery

@Suite("What replaces a task")
struct ReplacementTests {
    private let composer = TaskComposer(configuration: CeleryConfiguration())
    private let context = SendContext(registered: { _ in TaskOptions() })

    /// A task in the middle of a chain and of a group, with links.
    private func replaced() -> TaskMessage {
        var headers = TaskHeaders(task: "tasks.old", id: "own")
        headers.rootID = "root"
        headers.parentID = "before"
        headers.group = "group"
        headers.groupIndex = 2
        headers.replacedTaskNesting = 3
        var body = TaskBody(args: [1])
        body.embed.callbacks = [Signature("tasks.on_done").json]
        body.embed.errbacks = [Signature("tasks.on_error").json]
        body.embed.chain = [Signature("tasks.last").json, Signature("tasks.next").json]
        return TaskMessage(headers: headers, body: body, replyTo: "callers-queue")
    }

    private func message(_ composition: Composition) throws -> TaskMessage {
        let task = try #require(composition.tasks.first)
        #expect(composition.tasks.count == 1)
        return try TaskMessage.decode(properties: task.message.properties, body: task.message.body)
    }

    private func names(_ signatures: [JSONValue]?) -> [String] {
        signatures?.compactMap { $0["task"]?.stringValue } ?? []
    }

    @Test("a task takes over id, root, group, links and the rest of the chain, and the caller")
    func task() throws {
        let old = replaced()
        let new = try message(
            composer.replace(old, with: Signature("tasks.new", args: [9]), replyTo: old.replyTo, context: context)
        )
        #expect(new.headers.task == "tasks.new")
        #expect(new.headers.id == "own")
        #expect(new.headers.rootID == "root")
        #expect(new.headers.parentID == "own")
        #expect(new.headers.group == "group")
        #expect(new.headers.groupIndex == 2)
        #expect(new.headers.replacedTaskNesting == 4)
        #expect(new.headers.retries == 0)
        #expect(new.replyTo == "callers-queue")
        #expect(new.properties.correlationID == "own")
        #expect(new.body.args == [9])
        #expect(names(new.body.embed.callbacks) == ["tasks.on_done"])
        #expect(names(new.body.embed.errbacks) == ["tasks.on_error"])
        // Reversed, as it travels.
        #expect(names(new.body.embed.chain) == ["tasks.last", "tasks.next"])
        let nestings = new.body.embed.chain?.map { $0["options"]?["replaced_task_nesting"] }
        #expect(nestings == [4, 4])
    }

    @Test("of a chain the last task takes the place, and every one has the errbacks")
    func chain() throws {
        let steps = Chain([Signature("tasks.a"), Signature("tasks.b", args: [2])]).signature
        let first = try message(composer.replace(replaced(), with: steps, replyTo: "callers-queue", context: context))
        #expect(first.headers.task == "tasks.a")
        #expect(first.headers.id != "own")
        #expect(first.headers.group == nil)
        #expect(first.headers.rootID == "root")
        #expect(first.replyTo == nil)
        #expect(first.body.embed.callbacks == nil)
        #expect(names(first.body.embed.errbacks) == ["tasks.on_error"])
        #expect(names(first.body.embed.chain) == ["tasks.last", "tasks.next", "tasks.b"])
        let last = try #require(first.body.embed.chain?.last?["options"])
        #expect(last["task_id"] == "own")
        #expect(last["group_id"] == "group")
        #expect(last["group_index"] == 2)
        #expect(last["reply_to"] == "callers-queue")
        #expect(last["replaced_task_nesting"] == 4)
        #expect(names(last["link"]?.arrayValue) == ["tasks.on_done"])
        #expect(names(last["link_error"]?.arrayValue) == ["tasks.on_error"])
    }

    @Test("an id of the signature's own does not count, and its links stay")
    func ownID() throws {
        let link = Signature("tasks.own_link")
        let signature = Signature("tasks.new", options: TaskOptions(taskID: "other", link: [link]))
        let new = try message(composer.replace(replaced(), with: signature, replyTo: nil, context: context))
        #expect(new.headers.id == "own")
        #expect(names(new.body.embed.callbacks) == ["tasks.own_link", "tasks.on_done"])
    }

    @Test("parts of chords and empty chains are refused")
    func refused() throws {
        let part = GoldenCase.signature(Signature("tasks.add"), ["chord": ["task": "tasks.sum"]])
        for signature in [part, Chain([]).signature] {
            let error = #expect(throws: CeleryError.self) {
                try composer.replace(replaced(), with: signature, replyTo: nil, context: context)
            }
            #expect(error?.code == .invalidSignature)
        }
    }
}
