import AMQP
import CeleryProtocol
import FoundationEssentials
import Synchronization
import Testing

@testable import Celery

/// What Celery sends for a workflow, or for what follows a task; written by `Interop/canvas/vectors.py`.
struct CanvasVector: Sendable, CustomTestStringConvertible {
    let json: JSONValue

    var testDescription: String { name }
    var name: String { json["name"]?.stringValue ?? "" }
    var kind: String { json["kind"]?.stringValue ?? "" }

    /// All of them; empty where the file cannot be read, which a test of its own reports.
    static let all: [CanvasVector] = (try? load()) ?? []

    private static func load() throws -> [CanvasVector] {
        let file = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "CeleryProtocolTests/Vectors/canvas.json")
        let limits = JSONLimits(maxDepth: JSONLimits.greatestDepth)
        let json = try JSONValue(parsing: Array(Data(contentsOf: file)), limits: limits)
        return try #require(json.arrayValue).map(CanvasVector.init)
    }
}

extension CanvasVector {
    /// What is composed here.
    func composition() throws -> Composition {
        let counter = Counter()
        let context = SendContext(
            replyTo: "client",
            registered: { _ in TaskOptions() },
            makeID: { MadeID.text(counter.next()) }
        )
        let composer = TaskComposer(configuration: CeleryConfiguration())
        switch kind {
        case "send":
            let options = try TaskOptions(decoding: json["options"]?.objectValue ?? [:])
            return try composer.compose(signature(), options: options, context: context)
        case "step":
            return try composer.composeChainStep(after: message(), result: 7, context: context)
        case "body":
            var manifest = ChordManifest(groupID: "g", members: [.init(id: "x"), .init(id: "y")], body: body)
            manifest.rootID = "root"
            return try composer.composeChordBody(manifest, results: [5, 6], parentID: "parent", context: context)
        default:
            return try composer.replace(message(), with: signature(), replyTo: nil, context: context)
        }
    }

    private var body: JSONValue { json["body"] ?? .null }

    private func signature() throws -> Signature { try Signature(decoding: json["signature"] ?? .null) }

    private func message() throws -> TaskMessage {
        let json = try #require(json["message"])
        let source = try #require(json["headers"])
        var headers = TaskHeaders(
            task: try #require(source["task"]?.stringValue),
            id: try #require(source["id"]?.stringValue)
        )
        headers.rootID = source["root_id"]?.stringValue
        headers.parentID = source["parent_id"]?.stringValue
        headers.group = source["group"]?.stringValue
        headers.groupIndex = source["group_index"]?.intValue
        let embed = json["body"]?[2]
        var body = TaskBody(args: json["body"]?[0]?.arrayValue ?? [], kwargs: json["body"]?[1]?.objectValue ?? [:])
        body.embed.callbacks = embed?["callbacks"]?.arrayValue
        body.embed.errbacks = embed?["errbacks"]?.arrayValue
        body.embed.chain = embed?["chain"]?.arrayValue
        body.embed.chord = embed?["chord"].flatMap { $0.isNull ? nil : $0 }
        return TaskMessage(headers: headers, body: body, replyTo: "callers-queue")
    }
}

/// Ids that the tests make, which are numbered anew in the order in which they stand in the messages.
enum MadeID {
    private static let mark = "made-"

    static func text(_ number: Int) -> String {
        let digits = String(number)
        return mark + String(repeating: "0", count: 6 - digits.count) + digits + "."
    }

    /// The text with the ids numbered.
    static func numbered(_ text: String, _ ids: inout [String: String]) -> String {
        var rest = text[...]
        var result = ""
        while let start = rest.firstRange(of: mark), let end = rest[start.upperBound...].firstIndex(of: ".") {
            let id = String(rest[start.lowerBound...end])
            let number = ids[id] ?? "id\(ids.count + 1)"
            ids[id] = number
            result += rest[..<start.lowerBound] + number
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }
}

/// Counts the ids that were made.
private final class Counter: Sendable {
    private let value = Atomic(0)

    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}
