import FoundationEssentials
import OrderedCollections

/// kombu's types beyond JSON, which travel as `{"__type__": T, "__value__": V}`.
enum ExtendedType: String {
    case datetime
    case date
    case time
    case decimal
    case uuid
    case bytes
    case base64

    static let typeKey = "__type__"
    static let valueKey = "__value__"

    /// Whether a map is an extended value: exactly the two keys, in either order.
    static func isEnvelope(_ entries: JSONObject) -> Bool {
        guard entries.count == 2 else { return false }
        let first = entries.elements[0].key
        let second = entries.elements[1].key
        return (first == typeKey && second == valueKey) || (first == valueKey && second == typeKey)
    }

    /// The value of an envelope, as the decoder that kombu registers for the type makes it.
    static func decode(_ envelope: JSONObject) throws(ProtocolError) -> JSONValue {
        guard case .string(let name)? = envelope[typeKey], let type = ExtendedType(rawValue: name),
            let value = envelope[valueKey]
        else { throw ProtocolError(.unknownExtendedType, "a map with __type__ and __value__ names no type of kombu") }
        switch (type, value) {
        case (.uuid, _):
            guard let uuid = UUIDForm.decode(value) else { throw type.invalidValue }
            return .uuid(uuid)
        case (.decimal, .int(let number)): return .decimal(String(number))
        case (.decimal, .bigInteger(let digits)): return .decimal(digits)
        case (_, .string(let text)): return try type.decode(text)
        default: throw type.invalidValue
        }
    }

    private func decode(_ text: String) throws(ProtocolError) -> JSONValue {
        switch self {
        case .datetime:
            return .datetime(try WireDate(parsing: text))
        case .date:
            return .date(try WireDate(parsing: text).local.day.text)
        case .time:
            var parser = ISO8601Parser(text)
            return .time(try parser.parseTime().text)
        case .decimal:
            guard let number = DecimalText(parsing: text) else { throw invalidValue }
            return .decimal(number.text)
        case .bytes:
            return .bytes(Array(text.utf8))
        case .base64:
            guard let bytes = Base64.decode(text) else { throw invalidValue }
            return .bytes(bytes)
        case .uuid:
            throw invalidValue
        }
    }

    private var invalidValue: ProtocolError {
        ProtocolError(.invalidExtendedValue, "the __value__ of an extended value is no \(rawValue)")
    }
}
