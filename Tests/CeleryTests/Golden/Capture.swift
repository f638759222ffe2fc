import AMQP
import CeleryProtocol
import FoundationEssentials
import Testing

@testable import Celery

/// A message that Celery itself published, from the corpus of the protocol's tests.
struct Capture {
    let name: String
    let exchange: String
    let routingKey: String
    /// The payload of the content header frame: properties and headers, byte for byte.
    let frame: [UInt8]
    let body: [UInt8]
    let properties: BasicProperties
    let message: TaskMessage

    init(_ name: String) throws {
        self.name = name
        let file = URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "CeleryProtocolTests/Golden/\(name).json")
        let json = try JSONValue(parsing: Array(Data(contentsOf: file)))
        exchange = try #require(json["exchange"]?.stringValue)
        routingKey = try #require(json["routing_key"]?.stringValue)
        frame = try Self.bytes(hex: #require(json["header_frame_hex"]?.stringValue))
        let base64 = try #require(json["body_base64"]?.stringValue)
        body = Array(try #require(Data(base64Encoded: base64)))
        properties = try ContentHeaderCodec.decode(frame).properties
        message = try TaskMessage.decode(properties: properties, body: body)
    }

    var headers: TaskHeaders { message.headers }
    var args: [JSONValue] { message.body.args }
    var kwargs: JSONObject { message.body.kwargs }
    var chain: [JSONValue] { message.body.embed.chain ?? [] }

    /// The signature that was applied, where it has no options.
    var signature: Signature { Signature(headers.task, args: args, kwargs: kwargs) }

    /// When the capture was sent, as far as it can be told.
    enum SendTime {
        /// It does not matter.
        case any
        /// So many seconds before `eta`.
        case beforeEta(Double)
        /// So many seconds before `expires`.
        case beforeExpiry(Double)
    }

    /// The time of sending.
    func date(_ time: SendTime) throws -> Date {
        switch time {
        case .any: Date()
        case .beforeEta(let seconds): try date(of: headers.eta).addingTimeInterval(-seconds)
        case .beforeExpiry(let seconds): try date(of: headers.expires).addingTimeInterval(-seconds)
        }
    }

    private func date(of header: String?) throws -> Date {
        try WireDate(parsing: #require(header)).date
    }

    /// The ids in the order in which freezing makes them: a chain's from its last task to its first.
    var ids: [String] {
        chain.compactMap { $0["options"]?["task_id"]?.stringValue } + [headers.id]
    }

    private static func bytes(hex: String) throws -> [UInt8] {
        let digits = Array(hex.utf8)
        return try stride(from: 0, to: digits.count - 1, by: 2).map { index in
            try #require(UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16))
        }
    }
}
