public import FoundationEssentials
// Re-exported, so that whoever gets a `JSONObject` can look into it without a dependency of their own.
@_exported public import OrderedCollections

/// A JSON map that keeps the order of its keys, as Python's `dict` does.
///
/// Equality regards the order.
public typealias JSONObject = OrderedDictionary<String, JSONValue>

/// A value of kombu's JSON, without loss: what Python wrote comes out again byte for byte.
///
/// `1` and `1.0` are different values, integers have any size, floats may be NaN or infinite, maps keep their order, and
/// kombu's extended types, which travel as `{"__type__": …, "__value__": …}`, are cases of their own.
public enum JSONValue: Sendable, Hashable {
    /// `null`, Python's `None`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// An integer within 64 bits.
    case int(Int)
    /// An integer beyond 64 bits: decimal digits with an optional leading `-`.
    ///
    /// Text that is no integer would not be JSON; it is written as a string.
    case bigInteger(String)
    /// A float, NaN and infinities included.
    case double(Double)
    /// A string.
    case string(String)
    /// An array, Python's `list` (and what a `tuple` becomes on its way).
    case array([JSONValue])
    /// A map with string keys, Python's `dict`.
    case object(JSONObject)
    /// Python's `datetime.datetime`, naive or with an offset.
    case datetime(WireDate)
    /// Python's `datetime.date` as `YYYY-MM-DD`.
    case date(String)
    /// Python's `datetime.time` as `HH:MM:SS[.ffffff][±HH:MM]`.
    case time(String)
    /// Python's `decimal.Decimal` as its text, such as `3.140`, `1E+3` or `NaN`.
    case decimal(String)
    /// Python's `uuid.UUID`.
    case uuid(UUID)
    /// Python's `bytes`.
    case bytes([UInt8])
}

extension JSONValue {
    /// Whether the value is `null`.
    public var isNull: Bool {
        if case .null = self { return true }
        return false
    }

    /// The truth value, where the value is a boolean.
    public var boolValue: Bool? {
        if case .bool(let flag) = self { return flag }
        return nil
    }

    /// The number, where the value is an integer within 64 bits.
    public var intValue: Int? {
        if case .int(let number) = self { return number }
        return nil
    }

    /// The number, where the value is a float or an integer within 64 bits.
    public var doubleValue: Double? {
        switch self {
        case .double(let number): number
        case .int(let number): Double(number)
        default: nil
        }
    }

    /// The text, where the value is a string.
    public var stringValue: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// The elements, where the value is an array.
    public var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// The entries, where the value is a map.
    public var objectValue: JSONObject? {
        if case .object(let entries) = self { return entries }
        return nil
    }

    /// The value of a key, where the value is a map that has it.
    public subscript(key: String) -> JSONValue? {
        if case .object(let entries) = self { return entries[key] }
        return nil
    }

    /// The element at an index, where the value is an array that reaches so far.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}
