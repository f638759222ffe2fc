/// A value of an AMQP 0-9-1 field table, with the type that it has on the wire.
///
/// Every type that RabbitMQ knows is its own case, so that a table read from one message and written to another keeps
/// its bytes. The letter in each comment is the type's octet in the dialect of RabbitMQ and py-amqp.
public enum FieldValue: Sendable, Hashable {
    /// `t`
    case bool(Bool)
    /// `b`
    case int8(Int8)
    /// `B`
    case uint8(UInt8)
    /// `s`
    case int16(Int16)
    /// `u`
    case uint16(UInt16)
    /// `I`
    case int32(Int32)
    /// `i`
    case uint32(UInt32)
    /// `l`
    case int64(Int64)
    /// `L`, which RabbitMQ and py-amqp read as a signed number too; py-amqp writes it for numbers beyond 32 bits.
    case longLong(Int64)
    /// `f`
    case float(Float)
    /// `d`
    case double(Double)
    /// `D`: `value` divided by ten to the power of `scale`.
    case decimal(scale: UInt8, value: UInt32)
    /// `S`, where the bytes are UTF-8.
    case string(String)
    /// `S`, where the bytes are not UTF-8.
    case longBytes([UInt8])
    /// `x`
    case bytes([UInt8])
    /// `A`
    case array([FieldValue])
    /// `T`: seconds since 1970 in UTC.
    case timestamp(UInt64)
    /// `F`
    case table(FieldTable)
    /// `V`
    case void
}

extension FieldValue {
    /// The text, where the value is a long string in UTF-8.
    public var stringValue: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// The truth value, where the value is a boolean.
    public var boolValue: Bool? {
        if case .bool(let flag) = self { return flag }
        return nil
    }

    /// The number, where the value is an integer of any width that fits.
    public var intValue: Int? {
        switch self {
        case .int8(let number): Int(number)
        case .uint8(let number): Int(number)
        case .int16(let number): Int(number)
        case .uint16(let number): Int(number)
        case .int32(let number): Int(number)
        case .uint32(let number): Int(exactly: number)
        case .int64(let number), .longLong(let number): Int(exactly: number)
        default: nil
        }
    }

    /// The number, where the value is a float or an integer.
    public var doubleValue: Double? {
        switch self {
        case .float(let number): Double(number)
        case .double(let number): number
        default: intValue.map(Double.init)
        }
    }

    /// The nested table, where the value is one.
    public var tableValue: FieldTable? {
        if case .table(let table) = self { return table }
        return nil
    }

    /// The elements, where the value is an array.
    public var arrayValue: [FieldValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// Whether the value is AMQP's null.
    public var isVoid: Bool { self == .void }

    /// An integer in the type that py-amqp chooses: `I` within 32 bits (without the lowest number), `L` beyond.
    public static func integer(_ number: Int) -> FieldValue {
        if let narrow = Int32(exactly: number), narrow != .min { return .int32(narrow) }
        return .longLong(Int64(number))
    }
}

extension FieldValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    /// A long string.
    public init(stringLiteral value: String) { self = .string(value) }

    /// A boolean.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// An integer in the type that py-amqp chooses.
    public init(integerLiteral value: Int) { self = .integer(value) }
}
