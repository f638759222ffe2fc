import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

/// An event as it came, with what is never the same put away: of that only the type counts.
struct EventCapture: Equatable, CustomStringConvertible {
    /// Fields whose values differ from run to run, or from one software to the other.
    private static let volatile: Set<String> = [
        "hostname", "utcoffset", "pid", "clock", "uuid", "root_id", "parent_id", "timestamp", "runtime", "loadavg",
        "freq",
        "active", "processed", "sw_ident", "sw_ver", "sw_sys", "traceback", "eta", "expires",
    ]

    let type: String
    let routingKey: String
    /// The fields in their order.
    let fields: [String]
    let properties: BasicProperties

    var description: String { "\(routingKey): \(fields.joined(separator: ", "))" }

    /// Reads the events of a message.
    ///
    /// - Parameter tolerated: further fields of which only the type counts.
    static func all(
        _ message: OutgoingMessage,
        tolerated: Set<String> = []
    ) throws -> [EventCapture] {
        let json = try JSONValue(parsing: message.body)
        let events = try EventMessage.events(message.properties, body: message.body)
        #expect((json.arrayValue != nil) == message.routingKey.hasSuffix(".multi"))
        var properties = message.properties
        #expect(properties.headers == ["hostname": .string(events.first?.hostname ?? "")])
        properties.headers = nil
        return try (json.arrayValue ?? [json]).map { event in
            let entries = try #require(event.objectValue)
            return EventCapture(
                type: entries["type"]?.stringValue ?? "",
                routingKey: message.routingKey,
                fields: entries.map { "\($0.key)=\(shape($0.key, $0.value, entries, tolerated))" },
                properties: properties
            )
        }
    }

    private static func shape(
        _ key: String,
        _ value: JSONValue,
        _ event: JSONObject,
        _ tolerated: Set<String>
    ) -> String {
        guard volatile.contains(key) || tolerated.contains(key) else {
            let text = String(decoding: value.serialized(), as: UTF8.self)
            // Texts may name the task.
            return event["uuid"]?.stringValue.map { text.replacing($0, with: "ID") } ?? text
        }
        switch value {
        case .null: return "<null>"
        case .bool: return "<bool>"
        case .int: return "<int>"
        case .double: return "<float>"
        case .string: return "<text>"
        case .array(let elements): return "<list of \(elements.count)>"
        default: return "<map>"
        }
    }

    /// The events of a Celery worker or client, by the start of the files' names.
    static func golden(_ name: String, tolerated: Set<String>) throws -> [EventCapture] {
        let files = try names().filter { $0.prefix { $0 != "." } == "event_\(name)" }
        return try files.sorted().flatMap { file in
            let json = try JSONValue(parsing: Array(Data(contentsOf: folder.appending(path: file))))
            let base64 = try #require(json["body_base64"]?.stringValue)
            let body = try #require(Data(base64Encoded: base64))
            let described = try #require(json["properties"])
            var properties = BasicProperties()
            properties.headers = ["hostname": .string(json["headers"]?["hostname"]?.stringValue ?? "")]
            properties.contentType = described["content_type"]?.stringValue
            properties.contentEncoding = described["content_encoding"]?.stringValue
            properties.deliveryMode = described["delivery_mode"]?.intValue.map { UInt8($0) }
            properties.priority = described["priority"]?.intValue.map { UInt8($0) }
            let message = OutgoingMessage(
                exchange: json["exchange"]?.stringValue ?? "",
                routingKey: json["routing_key"]?.stringValue ?? "",
                properties: properties,
                body: Array(body)
            )
            return try all(message, tolerated: tolerated)
        }
    }

    /// The names of the files of events.
    static func names() throws -> [String] {
        let index = try JSONValue(parsing: Array(Data(contentsOf: folder.appending(path: "index.json"))))
        return (index.arrayValue ?? []).compactMap { $0["file"]?.stringValue }.filter { $0.hasPrefix("event_") }
    }

    private static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "CeleryProtocolTests/Golden")
}
