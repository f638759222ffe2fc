import AMQP
import CeleryProtocol
import Testing

@testable import Celery

@Suite("Stamped messages are Celery's")
struct StampedMessageTests {
    private struct Stamper: StampingVisitor {
        func onSignature(_ signature: Signature, _ stamps: JSONObject) -> JSONObject {
            ["mark": .string("sig-\(signature.task)"), "stamped_headers": ["mark"]]
        }

        func onGroupStart(_ group: Signature, _ stamps: JSONObject) -> JSONObject {
            ["in_group": true, "stamped_headers": ["in_group"]]
        }

        func onCallback(_ callback: Signature, _ stamps: JSONObject) -> JSONObject {
            ["on_callback": true, "stamped_headers": ["on_callback"]]
        }

        func onErrback(_ errback: Signature, _ stamps: JSONObject) -> JSONObject {
            ["on_errback": true, "stamped_headers": ["on_errback"]]
        }
    }

    private static let add = TaskName("tasks.add", Int.self, Int.self, returning: Int.self)
    private static let mul = TaskName("tasks.mul", Int.self, Int.self, returning: Int.self)

    private static var cases: [(String, Signature)] {
        let linked = add(2, 3).link(Signature("tasks.mul", args: [4])).onError(Signature("tasks.errback_id"))
        return [
            ("stamp_simple", add(2, 3).stamp(["stamp": "v1"]).signature),
            ("stamp_kwarg", add(2, 3).stamp(["a": "1", "b": ["2", "3"]]).signature),
            ("stamp_visitor", add(2, 3).stamp(visitor: Stamper()).signature),
            ("stamp_visitor_chain", add(1, 2).then(mul, 3).stamp(visitor: Stamper()).signature),
            ("stamp_visitor_links", linked.stamp(visitor: Stamper()).signature),
        ]
    }

    @Test func singlesAndChains() throws {
        for (name, signature) in Self.cases {
            let capture = try Capture(name)
            let composer = TaskComposer(configuration: CeleryConfiguration())
            let tasks = try composer.compose(signature, context: capture.context()).tasks
            #expect(tasks.count == 1)
            try Self.check(tasks[0], capture)
        }
    }

    @Test func groups() throws {
        let group = Group([Self.add(1, 1), Self.add(2, 2)]).stamp(visitor: Stamper())
        for index in 1...2 {
            let capture = try Capture("stamp_visitor_group.\(index)of2")
            let others = (1..<index).map { "other-\($0)" }
            let context = try capture.context(ids: [capture.headers.group ?? ""] + others + [capture.headers.id])
            let composer = TaskComposer(configuration: CeleryConfiguration())
            try Self.check(composer.compose(group.signature, context: context).tasks[index - 1], capture)
        }
    }

    /// All but the order of the stamps' names, which is random with Celery.
    private static func check(_ task: ComposedTask, _ capture: Capture) throws {
        let sent = try TaskMessage.decode(properties: task.message.properties, body: task.message.body)
        let body = try JSONValue(parsing: task.message.body)
        #expect(SignatureVectorTests.normal(body) == SignatureVectorTests.normal(try JSONValue(parsing: capture.body)))
        #expect(Set(sent.headers.stampedHeaders ?? []) == Set(capture.headers.stampedHeaders ?? []))
        var (own, theirs) = (sent.headers, capture.headers)
        own.stampedHeaders = nil
        theirs.stampedHeaders = nil
        #expect(JSONValue(own.stamps).objectValue?.count == JSONValue(theirs.stamps).objectValue?.count)
        for name in capture.headers.stampedHeaders ?? [] { #expect(own.stamps[name] == theirs.stamps[name]) }
        own.stamps = [:]
        theirs.stamps = [:]
        #expect(own == theirs)
        #expect(task.message.properties.correlationID == capture.properties.correlationID)
    }
}
