import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

extension GoldenCase {
    /// What a worker sends on behalf of a task that has ended.
    static let followers: [GoldenCase] = [
        step("worker_chain_next", [3]),
        step("worker_chain_next_priority", [3]),
        group("worker_chain_to_group.1of2", ids: 0) { capture, parent in
            parent.body.embed.chain = [Self.group([frozen(mul(3), capture), mul(4)], id: capture.headers.group).json]
        } make: { composer, parent, context in
            try composer.composeChainStep(after: parent, result: 3, context: context).tasks
        },
        group("worker_link_group.1of2") { _, parent in
            parent.body.embed.callbacks = [Self.group([mul(2), mul(3)]).json]
        } make: { composer, parent, context in
            try composer.composeCallbacks(after: parent, result: 3, context: context).tasks
        },
        group("worker_link_many.1of3") { _, parent in
            parent.body.embed.callbacks = [
                mul(10).json, Signature("tasks.on_done", args: ["x"], immutable: true).json,
                Signature("tasks.on_done", kwargs: ["extra": 1]).json,
            ]
        } make: { composer, parent, context in
            try composer.composeCallbacks(after: parent, result: 3, context: context).tasks
        },
        GoldenCase("worker_link") { capture, composer in
            var parent = capture.parent()
            parent.body.embed.callbacks = [mul(10).json]
            return try composer.composeCallbacks(after: parent, result: 3, context: capture.context()).tasks
        },
        GoldenCase("worker_link_chain") { capture, composer in
            var parent = capture.parent()
            parent.body.embed.callbacks = [Chain([mul(2), mul(3)]).signature.json]
            return try composer.composeCallbacks(after: parent, result: 3, context: capture.context()).tasks
        },
    ]

    /// The next step of a chain, with these arguments.
    private static func step(_ name: String, _ args: [JSONValue]) -> GoldenCase {
        GoldenCase(name) { capture, composer in
            var parent = capture.parent()
            let step = frozen(Signature("tasks.mul", args: args), capture)
            parent.body.embed.chain = capture.chain + [step.json]
            return try composer.composeChainStep(after: parent, result: 3, context: capture.context()).tasks
        }
    }

    private static func frozen(_ signature: Signature, _ capture: Capture) -> Signature {
        Self.signature(
            signature,
            ["task_id": .string(capture.headers.id), "reply_to": .string(capture.message.replyTo ?? "")]
        )
    }

    private static func group(_ tasks: [Signature], id: String?) -> Signature {
        var group = group(tasks)
        if let id { group.wire.options["task_id"] = .string(id) }
        return group
    }

    /// The first member of a new group.
    private static func group(
        _ name: String,
        ids count: Int = 1,
        parent change: @escaping @Sendable (Capture, inout TaskMessage) -> Void,
        make: @escaping @Sendable (TaskComposer, TaskMessage, SendContext) throws -> [ComposedTask]
    ) -> GoldenCase {
        GoldenCase(name) { capture, composer in
            var parent = capture.parent()
            change(capture, &parent)
            let ids = count == 0 ? [] : [capture.headers.group ?? "", capture.headers.id]
            let tasks = try make(composer, parent, capture.context(ids: ids))
            return Array(tasks.prefix(1))
        }
    }
}

extension GoldenCase {
    /// What takes the place of a running task.
    static let replacements: [GoldenCase] = [
        replace("worker_replace_task", ids: 0, by: Signature("tasks.add", args: [5, 1])),
        replace("worker_replace_chain", ids: 1, by: Chain([Signature("tasks.add", args: [5, 1]), mul(10)]).signature),
        replace("worker_replace_in_chain", ids: 0, by: Signature("tasks.add", args: [5, 1])) { capture, parent in
            var step = mul(7)
            step.wire.options = try #require(capture.chain.first?["options"]?.objectValue)
            step.wire.options["replaced_task_nesting"] = nil
            parent.body.embed.chain = [step.json]
        },
    ]

    private static func replace(
        _ name: String,
        ids count: Int,
        by signature: Signature,
        change: @escaping @Sendable (Capture, inout TaskMessage) throws -> Void = { _, _ in }
    ) -> GoldenCase {
        GoldenCase(name) { capture, composer in
            var parent = capture.parent()
            try change(capture, &parent)
            let context = try capture.context(ids: count == 0 ? [] : [capture.headers.id])
            return try composer.replace(parent, with: signature, replyTo: nil, context: context).tasks
        }
    }
}

extension GoldenCase {
    /// Tasks that are tried again.
    static let retries: [GoldenCase] = [
        retry("retry_countdown"),
        retry("retry_autoretry_backoff", countdown: 120),
        retry("retry_in_chain"),
        retry("retry_in_group"),
        retry("retry_keeps_options"),
        retry("retry_second"),
        retry("retry_serializer"),
        retry("retry_stamped"),
        retry("retry_topic_exchange", topic, exchange: "topicx", routingKey: "jobs.one"),
        retry("retry_changed_args") { request in
            request.args = [2]
            request.kwargs = ["hold": 2]
            request.timeLimit = .seconds(30)
            request.softTimeLimit = .seconds(20)
        },
        retry("retry_eta", countdown: nil) { request in
            request.eta = try WireDate(parsing: "2099-01-02T03:04:05+00:00")
        },
    ]

    private static func retry(
        _ name: String,
        _ configuration: CeleryConfiguration = CeleryConfiguration(),
        countdown: Int? = 600,
        exchange: String = "",
        routingKey: String = "work",
        change: @escaping @Sendable (inout RetryRequest) throws -> Void = { _ in }
    ) -> GoldenCase {
        GoldenCase(name, configuration) { capture, composer in
            var request = RetryRequest(countdown: countdown.map { .seconds($0) })
            try change(&request)
            let time: Capture.SendTime = countdown.map { .beforeEta(Double($0)) } ?? .any
            return [
                try composer.retry(
                    capture.firstTry(),
                    exchange: exchange,
                    routingKey: routingKey,
                    request: request,
                    context: capture.context(time)
                )
            ]
        }
    }
}

extension Capture {
    /// The message of the task that this one was sent for.
    func parent() -> TaskMessage {
        var headers = TaskHeaders(task: "tasks.add", id: self.headers.parentID ?? "")
        headers.rootID = self.headers.rootID
        return TaskMessage(headers: headers, body: TaskBody(args: [1, 2]), replyTo: "callers-queue")
    }

    /// The message that was delivered before the capture, which is its retry.
    func firstTry() -> TaskMessage {
        var message = message
        message.headers.retries -= 1
        message.headers.eta = nil
        message.headers.parentID = nil
        message.headers.argsrepr = "(not the same)"
        message.headers.custom.append("x-death", .array([]))
        message.headers.custom.append("x-first-death-queue", "work")
        message.properties.expiration = nil
        if name == "retry_changed_args" {
            message.body.args = [1]
            message.headers.hardLimit = .none
            message.headers.softLimit = .none
        }
        return message
    }
}
