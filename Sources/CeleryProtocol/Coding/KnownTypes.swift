import FoundationEssentials
import OrderedCollections

/// Types that are converted at once, without a decoder or encoder of their own: the fast path and the extended types.
enum KnownTypes {
    /// The value as one of the known types; nil where the type is not one of them.
    static func decode<T>(
        _ type: T.Type,
        from value: JSONValue,
        path: @autoclosure () -> CodingPath
    ) throws -> T? {
        if type == Int.self { return try Scalars.integer(Int.self, value, path()) as? T }
        if type == String.self { return try Scalars.string(value, path()) as? T }
        if type == Double.self { return try Scalars.double(value, path()) as? T }
        if type == Bool.self { return try Scalars.bool(value, path()) as? T }
        if type == JSONValue.self { return value as? T }
        if type == [Int].self { return try array(value, path()) { try Scalars.integer(Int.self, $0, $1()) } as? T }
        if type == [String].self { return try array(value, path()) { try Scalars.string($0, $1()) } as? T }
        if type == [Double].self { return try array(value, path()) { try Scalars.double($0, $1()) } as? T }
        if type == [Bool].self { return try array(value, path()) { try Scalars.bool($0, $1()) } as? T }
        if type == [JSONValue].self { return try array(value, path()) { element, _ in element } as? T }
        if type == JSONObject.self { return try object(value, path()) as? T }
        if type == Data.self { return Data(try Extended.bytes(value, path())) as? T }
        if type == Date.self { return try Extended.date(value, path()) as? T }
        if type == UUID.self { return try Extended.uuid(value, path()) as? T }
        if type == Decimal.self { return try Extended.decimal(value, path()) as? T }
        if type == URL.self { return try Extended.url(value, path()) as? T }
        if type == WireDate.self { return try Extended.wireDate(value, path()) as? T }
        if type == [UInt8].self, case .bytes(let bytes) = value { return bytes as? T }
        return nil
    }

    /// The value of one of the known types; nil where the type is not one of them.
    static func encode<T>(_ value: T) -> JSONValue? {
        let type = T.self
        if type == Int.self { return (value as? Int).map(JSONValue.int) }
        if type == String.self { return (value as? String).map(JSONValue.string) }
        if type == Double.self { return (value as? Double).map(JSONValue.double) }
        if type == Bool.self { return (value as? Bool).map(JSONValue.bool) }
        if type == JSONValue.self { return value as? JSONValue }
        if type == [Int].self { return (value as? [Int]).map { .array($0.map(JSONValue.int)) } }
        if type == [String].self { return (value as? [String]).map { .array($0.map(JSONValue.string)) } }
        if type == [Double].self { return (value as? [Double]).map { .array($0.map(JSONValue.double)) } }
        if type == [Bool].self { return (value as? [Bool]).map { .array($0.map(JSONValue.bool)) } }
        if type == [JSONValue].self { return (value as? [JSONValue]).map(JSONValue.array) }
        if type == JSONObject.self { return (value as? JSONObject).map(JSONValue.object) }
        if type == Data.self { return (value as? Data).map { .bytes(Array($0)) } }
        if type == Date.self { return (value as? Date).map { .datetime(WireDate($0)) } }
        if type == UUID.self { return (value as? UUID).map(JSONValue.uuid) }
        if type == Decimal.self { return (value as? Decimal).map { .decimal(Extended.text(of: $0)) } }
        if type == URL.self { return (value as? URL).map { .string($0.absoluteString) } }
        if type == WireDate.self { return (value as? WireDate).map(JSONValue.datetime) }
        return nil
    }

    /// An integer of any width; beyond 64 bits its digits.
    static func value(of number: some FixedWidthInteger) -> JSONValue {
        Int(exactly: number).map(JSONValue.int) ?? .bigInteger(String(number))
    }

    /// The float with the same shortest digits, so that 0.1 does not become 0.10000000149011612.
    static func value(of number: Float) -> JSONValue {
        .double(Double(number.description) ?? Double(number))
    }

    private static func array<Element>(
        _ value: JSONValue,
        _ path: CodingPath,
        _ convert: (JSONValue, () -> CodingPath) throws -> Element
    ) throws -> [Element] {
        guard case .array(let values) = value else { throw mismatch([Element].self, value, path: path) }
        var elements: [Element] = []
        elements.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            elements.append(try convert(value) { path.appending(index: index) })
        }
        return elements
    }

    private static func object(_ value: JSONValue, _ path: @autoclosure () -> CodingPath) throws -> JSONObject {
        guard case .object(let entries) = value else { throw mismatch(JSONObject.self, value, path: path()) }
        return entries
    }

    /// The error of a value of another kind, which names the kinds, not the value.
    static func mismatch(_ type: any Any.Type, _ value: JSONValue, path: CodingPath) -> DecodingError {
        if value.isNull {
            let message = "null where \(type) is expected"
            return .valueNotFound(type, .init(codingPath: path.keys, debugDescription: message))
        }
        let message = "\(kind(of: value)) where \(type) is expected"
        return .typeMismatch(type, .init(codingPath: path.keys, debugDescription: message))
    }

    private static func kind(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .bigInteger: "an integer"
        case .double: "a float"
        case .string: "a string"
        case .array: "an array"
        case .object: "a map"
        case .datetime: "a datetime"
        case .date: "a date"
        case .time: "a time"
        case .decimal: "a decimal"
        case .uuid: "a UUID"
        case .bytes: "bytes"
        }
    }
}
