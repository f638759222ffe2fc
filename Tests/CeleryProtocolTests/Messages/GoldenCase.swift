import AMQP
import CeleryProtocol

/// One captured message.
///
/// It comes in two forms that check each other: the bytes of AMQP's content header frame, and a description of the same
/// properties in JSON with the letters of the field types.
struct GoldenCase {
    let name: String
    /// The payload of the content header frame.
    let headerFrame: [UInt8]
    /// The properties as the capture describes them, built without any decoder of AMQP.
    let properties: BasicProperties
    let body: [UInt8]

    init(name: String, capture: JSONValue) throws {
        self.name = name
        headerFrame = try Self.bytes(ofHex: Self.text(capture, "header_frame_hex"))
        body = try Self.bytes(ofBase64: Self.text(capture, "body_base64"))
        properties = try Self.properties(of: capture)
        guard capture["body_size"]?.intValue == body.count else { throw GoldenError("\(name): body_size") }
    }

    private static func text(_ capture: JSONValue, _ key: String) throws -> String {
        guard let text = capture[key]?.stringValue else { throw GoldenError("the capture has no \(key)") }
        return text
    }
}

extension GoldenCase {
    private static func properties(of capture: JSONValue) throws -> BasicProperties {
        guard let described = capture["properties"]?.objectValue else { throw GoldenError("no properties") }
        var properties = BasicProperties()
        properties.headers = try table(capture["headers"] ?? [:], types: capture["header_types"] ?? [:])
        for (key, value) in described { try set(key, value, of: &properties) }
        return properties
    }

    private static func set(_ key: String, _ value: JSONValue, of properties: inout BasicProperties) throws {
        switch key {
        case "content_type": properties.contentType = value.stringValue
        case "content_encoding": properties.contentEncoding = value.stringValue
        case "delivery_mode": properties.deliveryMode = value.intValue.flatMap(UInt8.init(exactly:))
        case "priority": properties.priority = value.intValue.flatMap(UInt8.init(exactly:))
        case "correlation_id": properties.correlationID = value.stringValue
        case "reply_to": properties.replyTo = value.stringValue
        case "expiration": properties.expiration = value.stringValue
        case "message_id": properties.messageID = value.stringValue
        case "timestamp": properties.timestamp = value.intValue.flatMap(UInt64.init(exactly:))
        case "type": properties.type = value.stringValue
        case "app_id": properties.appID = value.stringValue
        default: throw GoldenError("an unknown property \(key)")
        }
    }

    private static func table(_ json: JSONValue, types: JSONValue) throws -> FieldTable {
        guard let entries = json.objectValue else { throw GoldenError("a header table is no map") }
        var table = FieldTable()
        for (key, value) in entries { table.append(key, try field(value, type: types[key] ?? .null)) }
        return table
    }

    private static func field(_ json: JSONValue, type: JSONValue) throws -> FieldValue {
        switch type {
        case .object:
            return .table(try table(json, types: type))
        case .array(let types):
            guard let elements = json.arrayValue, elements.count == types.count else { throw GoldenError("an array") }
            return .array(try zip(elements, types).map { try field($0, type: $1) })
        case .string(let letter):
            guard let field = scalar(json, letter: letter) else { throw GoldenError("a field of type \(letter)") }
            return field
        default:
            throw GoldenError("a type of a field")
        }
    }

    private static func scalar(_ json: JSONValue, letter: String) -> FieldValue? {
        switch letter {
        case "S": json.stringValue.map(FieldValue.string) ?? hex(json).map(FieldValue.longBytes)
        case "t": json.boolValue.map(FieldValue.bool)
        case "I": json.intValue.flatMap(Int32.init(exactly:)).map(FieldValue.int32)
        case "l": json.intValue.map { .int64(Int64($0)) }
        case "L": json.intValue.map { .longLong(Int64($0)) }
        case "d": json.doubleValue.map(FieldValue.double)
        case "T": json["$timestamp"]?.intValue.map { .timestamp(UInt64($0)) }
        case "D": decimal(json)
        case "V": json.isNull ? .void : nil
        default: nil
        }
    }

    private static func decimal(_ json: JSONValue) -> FieldValue? {
        guard let value = json["$decimal"]?[0]?.intValue, let scale = json["$decimal"]?[1]?.intValue else { return nil }
        return .decimal(scale: UInt8(scale), value: UInt32(value))
    }

    private static func hex(_ json: JSONValue) -> [UInt8]? {
        json["$bytes"]?.stringValue.flatMap { try? bytes(ofHex: $0) }
    }
}

extension GoldenCase {
    private static func bytes(ofHex text: String) throws -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else {
            throw GoldenError("hexadecimal digits")
        }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func bytes(ofBase64 text: String) throws -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var values = [UInt8?](repeating: nil, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        var bytes: [UInt8] = []
        var buffer = 0
        var bits = 0
        for letter in text.utf8 where letter != UInt8(ascii: "=") {
            guard let value = values[Int(letter)] else { throw GoldenError("base64") }
            buffer = (buffer << 6 | Int(value)) & 0xffff
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
        }
        return bytes
    }
}
