import AMQP
import CeleryProtocol

@testable import Celery

/// A composition in the form in which Celery would send it, which knows no collector of chords.
///
/// The tasks that complete a header reply to their callers again, and their signatures do not ask for a result.
struct CelerysForm {
    private var members: Set<String> = []
    private var callers: [String: String] = [:]
    private let composition: Composition
    private let collector = ChordCollector(CeleryConfiguration())
    let manifests: [ChordManifest]

    init(_ composition: Composition) throws {
        self.composition = composition
        manifests = try composition.manifests.map { try ChordManifest(decoding: JSONValue(parsing: $0.message.body)) }
        for member in manifests.flatMap(\.members) {
            members.insert(member.id)
            callers[member.id] = member.replyTo
        }
    }

    /// One line for each message, as the script writes them.
    func lines() throws -> [String] {
        try composition.tasks.map { task in
            let message = try TaskMessage.decode(properties: task.message.properties, body: task.message.body)
            return line(message, try JSONValue(parsing: task.message.body))
        }
    }

    /// The chords that are made known, with their bodies and their members, nested as the results are that the body gets.
    func chords() -> JSONValue {
        .array(
            manifests.map { manifest in
                let members = manifest.bodyArgument(manifest.members.map { .string($0.id) })
                return [.string(manifest.groupID), restored(manifest.body), members]
            }
        )
    }

    /// The members whose messages go out now, but whose results would not come to the collector.
    func strays() throws -> [String] {
        try composition.tasks.compactMap { task in
            let message = try TaskMessage.decode(properties: task.message.properties, body: task.message.body)
            let id = message.headers.id
            return members.contains(id) && !collector.collects(message.replyTo) ? id : nil
        }
    }

    func children() -> JSONValue { .array(composition.children.map(\.json)) }

    /// The message with its caller's reply queue.
    func message(_ task: ComposedTask) throws -> TaskMessage {
        var message = try TaskMessage.decode(properties: task.message.properties, body: task.message.body)
        message.properties.replyTo = caller(message.replyTo, of: message.headers.id)
        return message
    }

    /// The body with the callers' reply queues in its signatures.
    func body(_ task: ComposedTask) throws -> [UInt8] {
        try restored(JSONValue(parsing: task.message.body)).serialized()
    }

    private func line(_ message: TaskMessage, _ body: JSONValue) -> String {
        let headers = message.headers
        let stamps = JSONObject(
            headers.stamps.map { ($0.name, JSONValue($0.value)) },
            uniquingKeysWith: { first, _ in first }
        )
        let fields: [(String, JSONValue)] = [
            ("task", .string(headers.task)), ("id", .string(headers.id)), ("root_id", text(headers.rootID)),
            ("parent_id", text(headers.parentID)), ("group", text(headers.group)),
            ("group_index", headers.groupIndex.map(JSONValue.int) ?? .null),
            ("ignore_result", headers.ignoreResult.map(JSONValue.bool) ?? .null),
            ("replaced_task_nesting", .int(headers.replacedTaskNesting)),
            ("stamped_headers", headers.stampedHeaders.map { .array($0.map(JSONValue.string)) } ?? .null),
            ("stamps", .object(stamps)), ("eta", .bool(headers.eta != nil)),
        ]
        let priority = JSONValue.int(Int(message.priority ?? 0))
        return fields.map { "\($0)=\(dumped($1)) " }.joined()
            + "reply_to=\(caller(message.replyTo, of: headers.id) ?? "None") "
            + "priority=\(dumped(priority)) \(dumped(restored(body)))"
    }

    private func caller(_ replyTo: String?, of id: String) -> String? {
        collector.collects(replyTo) ? callers[id] : replyTo
    }

    /// The value with the reply queues of the callers in its signatures.
    func restored(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map(restored))
        case .object(var entries):
            if let id = entries["task_id"]?.stringValue, collector.collects(entries["reply_to"]?.stringValue) {
                entries["reply_to"] = text(callers[id])
                entries["ignore_result"] = nil
            }
            return .object(entries.mapValues(restored))
        default: return value
        }
    }

    private func text(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }

    private func dumped(_ value: JSONValue) -> String { String(decoding: value.serialized(), as: UTF8.self) }
}
