internal import CRabbitMQ

extension FieldValue {
    /// The octet that stands before the value on the wire.
    var octet: UInt8 {
        switch self {
        case .bool: UInt8(ascii: "t")
        case .int8: UInt8(ascii: "b")
        case .uint8: UInt8(ascii: "B")
        case .int16: UInt8(ascii: "s")
        case .uint16: UInt8(ascii: "u")
        case .int32: UInt8(ascii: "I")
        case .uint32: UInt8(ascii: "i")
        case .int64: UInt8(ascii: "l")
        case .longLong: UInt8(ascii: "L")
        case .float: UInt8(ascii: "f")
        case .double: UInt8(ascii: "d")
        case .decimal: UInt8(ascii: "D")
        case .string, .longBytes: UInt8(ascii: "S")
        case .bytes: UInt8(ascii: "x")
        case .array: UInt8(ascii: "A")
        case .timestamp: UInt8(ascii: "T")
        case .table: UInt8(ascii: "F")
        case .void: UInt8(ascii: "V")
        }
    }

    /// Copies a value.
    ///
    /// - Throws: `TableTooDeep` where it is nested more deeply than `depth` allows.
    init(_ source: amqp_field_value_t, depth: Int) throws(TableTooDeep) {
        switch source.kind {
        case UInt8(ascii: "t"): self = .bool(source.value.boolean != 0)
        case UInt8(ascii: "b"): self = .int8(source.value.i8)
        case UInt8(ascii: "B"): self = .uint8(source.value.u8)
        case UInt8(ascii: "s"): self = .int16(source.value.i16)
        case UInt8(ascii: "u"): self = .uint16(source.value.u16)
        case UInt8(ascii: "I"): self = .int32(source.value.i32)
        case UInt8(ascii: "i"): self = .uint32(source.value.u32)
        case UInt8(ascii: "l"): self = .int64(source.value.i64)
        case UInt8(ascii: "L"): self = .longLong(Int64(bitPattern: source.value.u64))
        case UInt8(ascii: "f"): self = .float(source.value.f32)
        case UInt8(ascii: "d"): self = .double(source.value.f64)
        case UInt8(ascii: "D"):
            self = .decimal(scale: source.value.decimal.decimals, value: source.value.decimal.value)
        case UInt8(ascii: "S"):
            let bytes = source.value.bytes
            self = bytes.validText.map(FieldValue.string) ?? .longBytes(bytes.array)
        case UInt8(ascii: "x"): self = .bytes(source.value.bytes.array)
        case UInt8(ascii: "A"): self = .array(try Self.elements(source.value.array, depth: depth))
        case UInt8(ascii: "T"): self = .timestamp(source.value.u64)
        case UInt8(ascii: "F"): self = .table(try FieldTable(source.value.table, depth: depth - 1))
        // librabbitmq refuses octets that it does not know, so what is left is `V`.
        default: self = .void
        }
    }

    private static func elements(_ source: amqp_array_t, depth: Int) throws(TableTooDeep) -> [FieldValue] {
        guard depth > 0 else { throw TableTooDeep() }
        let entries = UnsafeBufferPointer(start: source.entries, count: Int(source.num_entries))
        return try entries.map { element throws(TableTooDeep) in try FieldValue(element, depth: depth - 1) }
    }
}

extension FieldTable {
    /// Copies a table.
    ///
    /// - Throws: `TableTooDeep` where it is nested more deeply than `depth` allows.
    init(_ source: amqp_table_t, depth: Int = MessageLimits.depthLimit) throws(TableTooDeep) {
        guard depth >= 0 else { throw TableTooDeep() }
        let entries = UnsafeBufferPointer(start: source.entries, count: Int(source.num_entries))
        self.init(
            try entries.map { entry throws(TableTooDeep) in
                Field(entry.key.text, try FieldValue(entry.value, depth: depth))
            }
        )
    }
}
