import FoundationEssentials
import OrderedCollections

// Within JSONValueEncoder and JSONValueDecoder values pass through as they are. What follows is for other coders: extended
// types become kombu's envelopes there, while 1 and 1.0, or digits beyond 64 bits, are as exact as the other coder is.
extension JSONValue: Codable {
    /// Reads any value.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? ValueDecoder {
            self = decoder.value
        } else if let map = try? decoder.container(keyedBy: CodingStep.self) {
            var entries = JSONObject()
            for key in map.allKeys { entries[key.stringValue] = try map.decode(JSONValue.self, forKey: key) }
            self = ExtendedType.isEnvelope(entries) ? try Self.unwrapped(entries, decoder) : .object(entries)
        } else if var list = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !list.isAtEnd { elements.append(try list.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            self = try Self.scalar(of: try decoder.singleValueContainer())
        }
    }

    private static func unwrapped(_ envelope: JSONObject, _ decoder: any Decoder) throws -> JSONValue {
        do {
            return try ExtendedType.decode(envelope)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: error.message, underlyingError: error)
            )
        }
    }

    private static func scalar(of container: any SingleValueDecodingContainer) throws -> JSONValue {
        if container.decodeNil() { return .null }
        if let flag = try? container.decode(Bool.self) { return .bool(flag) }
        if let number = try? container.decode(Int.self) { return .int(number) }
        if let number = try? container.decode(UInt64.self) { return .bigInteger(String(number)) }
        if let number = try? container.decode(Double.self) { return .double(number) }
        return .string(try container.decode(String.self))
    }

    /// Writes the value.
    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? ValueEncoder { return encoder.setScalar(self) }
        switch self {
        case .object(let entries): try Self.encode(entries, to: encoder)
        case .array(let elements): try Self.encode(elements, to: encoder)
        case .datetime(let date): try Self.encode(.datetime, .string(date.text), to: encoder)
        case .date(let text): try Self.encode(.date, .string(text), to: encoder)
        case .time(let text): try Self.encode(.time, .string(text), to: encoder)
        case .decimal(let text): try Self.encode(.decimal, .string(text), to: encoder)
        case .uuid(let uuid): try Self.encode(.uuid, .object(["hex": .string(uuid.hexadecimal)]), to: encoder)
        case .bytes(let bytes): try Self.encode(bytes, to: encoder)
        case .null, .bool, .int, .bigInteger, .double, .string: try encode(into: encoder.singleValueContainer())
        }
    }

    private func encode(into container: any SingleValueEncodingContainer) throws {
        var container = container
        switch self {
        case .bool(let flag): try container.encode(flag)
        case .int(let number): try container.encode(number)
        case .bigInteger(let digits):
            if let number = UInt64(digits) {
                try container.encode(number)
            } else if let number = DecimalText(parsing: digits), let decimal = Decimal(exactly: number) {
                try container.encode(decimal)
            } else {
                let message = "an integer with more digits than this encoder can take"
                throw EncodingError.invalidValue(
                    self,
                    .init(codingPath: container.codingPath, debugDescription: message)
                )
            }
        case .double(let number): try container.encode(number)
        case .string(let text): try container.encode(text)
        default: try container.encodeNil()
        }
    }

    private static func encode(_ entries: JSONObject, to encoder: any Encoder) throws {
        var map = encoder.container(keyedBy: CodingStep.self)
        for (key, value) in entries { try map.encode(value, forKey: CodingStep(stringValue: key)) }
    }

    private static func encode(_ elements: [JSONValue], to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for element in elements { try list.encode(element) }
    }

    private static func encode(_ type: ExtendedType, _ value: JSONValue, to encoder: any Encoder) throws {
        let envelope: JSONObject = [ExtendedType.typeKey: .string(type.rawValue), ExtendedType.valueKey: value]
        try encode(envelope, to: encoder)
    }

    private static func encode(_ bytes: [UInt8], to encoder: any Encoder) throws {
        if let text = String(validating: bytes, as: UTF8.self) { return try encode(.bytes, .string(text), to: encoder) }
        var text: [UInt8] = []
        Base64.encode(bytes, to: &text)
        try encode(.base64, .string(String(decoding: text, as: UTF8.self)), to: encoder)
    }
}

extension UUID {
    fileprivate var hexadecimal: String {
        var output: [UInt8] = []
        writeHexadecimal(dashes: false, to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
