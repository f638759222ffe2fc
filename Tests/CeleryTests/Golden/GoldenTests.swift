import AMQP
import CeleryProtocol
import Testing

@testable import Celery

@Suite("Messages are Celery's, byte for byte")
struct GoldenTests {
    static let cases: [GoldenCase] =
        GoldenCase.tasks + GoldenCase.options + GoldenCase.links + GoldenCase.routes + GoldenCase.chains
        + GoldenCase.followers + GoldenCase.replacements + GoldenCase.retries + GoldenCase.delayed

    @Test(arguments: cases)
    func reproduces(_ golden: GoldenCase) throws {
        let capture = try Capture(golden.name)
        let tasks = try golden.make(capture, TaskComposer(configuration: golden.configuration))
        let task = try #require(tasks.first)
        #expect(tasks.count == 1)
        #expect(task.id == capture.headers.id)
        #expect(task.message.exchange == capture.exchange)
        #expect(task.message.routingKey == capture.routingKey)
        #expect(task.message.mandatory)
        #expect(String(decoding: task.message.body, as: UTF8.self) == String(decoding: capture.body, as: UTF8.self))
        #expect(task.message.properties == capture.properties)
        let frame = try ContentHeaderCodec.encode(
            task.message.properties,
            bodySize: UInt64(task.message.body.count)
        )
        #expect(frame == capture.frame)
    }

    private static let groups = [("worker_link_many", 3), ("worker_link_group", 2), ("worker_chain_to_group", 2)]

    /// The captures of members of groups beside the first ones.
    static let furtherMembers = groups.flatMap { name, count in (2...count).map { "\(name).\($0)of\(count)" } }

    @Test func membersOfGroupsAreAllSent() throws {
        for (name, count) in Self.groups {
            for index in 2...count {
                let capture = try Capture("\(name).\(index)of\(count)")
                var parent = capture.parent()
                switch name {
                case "worker_link_many":
                    parent.body.embed.callbacks = [
                        GoldenCase.mul(10).json, Signature("tasks.on_done", args: ["x"], immutable: true).json,
                        Signature("tasks.on_done", kwargs: ["extra": 1]).json,
                    ]
                case "worker_link_group":
                    parent.body.embed.callbacks = [GoldenCase.group([GoldenCase.mul(2), GoldenCase.mul(3)]).json]
                default:
                    parent.body.embed.chain = [GoldenCase.group([GoldenCase.mul(3), GoldenCase.mul(4)]).json]
                }
                let others = (1..<index).map { "other-\($0)" }
                let context = try capture.context(ids: [capture.headers.group ?? ""] + others + [capture.headers.id])
                let composer = TaskComposer(configuration: CeleryConfiguration())
                let tasks =
                    try composer.composeCallbacks(after: parent, result: 3, context: context).tasks
                    + composer.composeChainStep(after: parent, result: 3, context: context).tasks
                #expect(tasks.count == count)
                let task = tasks[index - 1]
                #expect(task.message.properties == capture.properties)
                #expect(task.message.body == capture.body)
            }
        }
    }
}
