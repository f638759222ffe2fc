import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

/// How one of Celery's messages is made here.
struct GoldenCase: Sendable, CustomTestStringConvertible {
    let name: String
    let configuration: CeleryConfiguration
    let make: @Sendable (Capture, TaskComposer) throws -> [ComposedTask]

    var testDescription: String { name }

    init(
        _ name: String,
        _ configuration: CeleryConfiguration = CeleryConfiguration(),
        make: @escaping @Sendable (Capture, TaskComposer) throws -> [ComposedTask]
    ) {
        self.name = name
        self.configuration = configuration
        self.make = make
    }

    /// A task with the capture's arguments, sent with these options.
    static func task(
        _ name: String,
        _ configuration: CeleryConfiguration = CeleryConfiguration(),
        sent time: Capture.SendTime = .any,
        options: @escaping @Sendable (Capture) throws -> TaskOptions = { _ in TaskOptions() }
    ) -> GoldenCase {
        GoldenCase(name, configuration) { capture, composer in
            try composer.compose(
                capture.signature,
                options: options(capture),
                context: capture.context(time)
            ).tasks
        }
    }

    /// A chain of these steps.
    static func chain(
        _ name: String,
        sent time: Capture.SendTime = .any,
        ids: (@Sendable (Capture) -> [String])? = nil,
        prepending arguments: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        _ steps: [Signature]
    ) -> GoldenCase {
        GoldenCase(name) { capture, composer in
            try composer.compose(
                chain: steps,
                prepending: arguments,
                options: options,
                context: capture.context(time, ids: ids?(capture))
            ).tasks
        }
    }

    static func add(_ args: JSONValue...) -> Signature { Signature("tasks.add", args: args) }
    static func mul(_ args: JSONValue...) -> Signature { Signature("tasks.mul", args: args) }
    static let onDone = Signature("tasks.on_done")
    static let errbackID = Signature("tasks.errback_id")

    /// A group as Celery writes it into a message.
    static func group(_ tasks: [Signature]) -> Signature {
        Signature(
            wire: SignatureWire(
                task: "celery.group",
                kwargs: ["tasks": .array(tasks.map(\.json))],
                subtaskType: "group"
            )
        )
    }

    /// A signature with options in this order.
    static func signature(_ signature: Signature, _ options: JSONObject) -> Signature {
        var changed = signature
        changed.wire.options = options
        return changed
    }
}
