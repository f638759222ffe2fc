import AMQP
import CeleryProtocol
import CeleryTestKit
import FoundationEssentials
import Testing

@testable import Celery
@testable import CeleryWorker

/// A task that a worker runs, whose results Celery's own worker has published as the captures show.
struct GoldenResultCase: Sendable, CustomTestStringConvertible {
    let name: String
    let signature: Signature

    var testDescription: String { name }

    private static let other = TaskOptions(queue: OutcomeHarness.other)
    private static let mul = Signature("tasks.mul", args: [2], options: other)
    private static let done = Signature("tasks.on_done", options: other)
    private static func add(_ options: TaskOptions = TaskOptions()) -> Signature {
        Signature("tasks.add", args: [1, 2], options: options)
    }
    private static func fail(_ options: TaskOptions = TaskOptions()) -> Signature {
        Signature("tasks.fail", args: ["x"], options: options)
    }
    private static func group(_ members: [Signature]) -> Signature {
        Signature(
            wire: SignatureWire(
                task: "celery.group",
                kwargs: ["tasks": .array(members.map(\.json))],
                subtaskType: "group"
            )
        )
    }

    static let all: [GoldenResultCase] = [
        GoldenResultCase(name: "result_chain_failure", signature: Chain([fail(), mul, mul]).signature),
        GoldenResultCase(name: "result_chain_next", signature: Chain([add(), mul, mul]).signature),
        GoldenResultCase(
            name: "result_chain_next_priority",
            signature: Chain([add(TaskOptions(priority: 6)), mul]).signature
        ),
        GoldenResultCase(
            name: "result_errback_by_id",
            signature: fail(TaskOptions(linkError: [Signature("tasks.errback_id", options: other)]))
        ),
        GoldenResultCase(
            name: "result_errback_inline",
            signature: fail(TaskOptions(linkError: [Signature("tasks.errback_full", options: other)]))
        ),
        GoldenResultCase(
            name: "result_errback_unknown",
            signature: fail(TaskOptions(linkError: [Signature("tasks.elsewhere", options: other)]))
        ),
        GoldenResultCase(
            name: "result_group_member",
            signature: group([Signature("tasks.add", args: [1, 1]), Signature("tasks.add", args: [2, 2])])
        ),
        GoldenResultCase(name: "result_link", signature: add(TaskOptions(link: [mul]))),
        GoldenResultCase(name: "result_link_chain", signature: add(TaskOptions(link: [Chain([mul, mul]).signature]))),
        GoldenResultCase(name: "result_link_group", signature: add(TaskOptions(link: [group([mul, mul])]))),
        GoldenResultCase(name: "result_link_many", signature: add(TaskOptions(link: [mul, done.immutable(), done]))),
    ]
}

@Suite("Results are Celery's, byte for byte up to ids, times and tracebacks")
struct GoldenResultTests {
    @Test(arguments: GoldenResultCase.all)
    func reproduces(_ golden: GoldenResultCase) async throws {
        let captures = try ResultCapture.load(golden.name)
        #expect(!captures.isEmpty)
        try await OutcomeHarness.run(concurrency: 1) { tasks in
            tasks.registerUntyped("tasks.add") { _, args, _ in
                .int((args[0].intValue ?? 0) + (args[1].intValue ?? 0))
            }
            tasks.registerUntyped("tasks.fail") { _, args, _ in
                throw TaskError(type: "ValueError", args[0].stringValue ?? "")
            }
        } _: { harness in
            try harness.base.send(golden.signature)
            try await eventually("the results of \(golden.name)") {
                harness.broker.messages(in: WorkerHarness.replies).count >= captures.count
            }
            try await harness.base.queueIsEmpty(OutcomeHarness.queue)
            let ours = try harness.broker.messages(in: WorkerHarness.replies)
                .map { try ResultCapture(properties: $0.properties, body: $0.body) }
            #expect(ours.count == captures.count)
            for (own, capture) in zip(ours, captures) {
                #expect(own.text == capture.text)
                #expect(own.properties == capture.properties)
            }
        }
    }
}

/// A result message without what is never the same.
private struct ResultCapture {
    var text: String
    var properties: BasicProperties

    init(properties: BasicProperties, body: [UInt8]) throws {
        var json = try #require(JSONValue(parsing: body).objectValue)
        #expect(json["task_id"]?.stringValue == properties.correlationID)
        if json["traceback"]?.isNull == false { json["traceback"] = "a traceback" }
        json["date_done"] = "a date"
        var ids: [String: Int] = [:]
        text = String(decoding: Self.numbered(.object(json), &ids).serialized(), as: UTF8.self)
        self.properties = properties
        self.properties.correlationID = nil
    }

    static func load(_ name: String) throws -> [ResultCapture] {
        let folder = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "CeleryProtocolTests/Golden")
        let index = try JSONValue(parsing: Array(Data(contentsOf: folder.appending(path: "index.json"))))
        let files = (index.arrayValue ?? []).compactMap { $0["file"]?.stringValue }
        return try files.filter { $0.prefix { $0 != "." } == name }.sorted().map { file in
            let json = try JSONValue(parsing: Array(Data(contentsOf: folder.appending(path: file))))
            let base64 = try #require(json["body_base64"]?.stringValue)
            let body = try #require(Data(base64Encoded: base64))
            var properties = BasicProperties()
            let described = try #require(json["properties"])
            properties.headers = [:]
            properties.contentType = described["content_type"]?.stringValue
            properties.contentEncoding = described["content_encoding"]?.stringValue
            properties.deliveryMode = described["delivery_mode"]?.intValue.map { UInt8($0) }
            properties.priority = described["priority"]?.intValue.map { UInt8($0) }
            properties.correlationID = described["correlation_id"]?.stringValue
            return try ResultCapture(properties: properties, body: Array(body))
        }
    }

    /// The value with UUIDs numbered in the order in which they stand in it.
    private static func numbered(_ json: JSONValue, _ ids: inout [String: Int]) -> JSONValue {
        switch json {
        case .string(let text) where text.utf8.count == 36 && text.utf8.count { $0 == UInt8(ascii: "-") } == 4:
            let number = ids[text] ?? ids.count
            ids[text] = number
            return .string("id \(number)")
        case .array(let elements): return .array(elements.map { numbered($0, &ids) })
        case .object(let entries): return .object(entries.mapValues { numbered($0, &ids) })
        default: return json
        }
    }
}
