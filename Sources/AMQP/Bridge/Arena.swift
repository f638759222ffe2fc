internal import CRabbitMQ

/// Memory for the C structures of one outgoing method or message: everything lives until `recycle`.
///
/// A pool keeps nested tables alive without nested scoped closures, and costs no allocation once it has grown.
/// A class that is not Sendable: it belongs to one connection handle.
final class Arena {
    private let pool: UnsafeMutablePointer<amqp_pool_t>
    private static let pageSize = 16 * 1024

    init() {
        pool = .allocate(capacity: 1)
        pool.initialize(to: amqp_pool_t())
        init_amqp_pool(pool, Self.pageSize)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// Ends the life of everything that was made before.
    func recycle() {
        recycle_amqp_pool(pool)
    }

    func bytes(_ text: String) -> amqp_bytes_t {
        var text = text
        return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
    }

    func bytes(_ array: [UInt8]) -> amqp_bytes_t {
        array.withUnsafeBytes { copy($0) }
    }

    func table(_ table: FieldTable) -> amqp_table_t {
        guard !table.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
        let entries = allocate(amqp_table_entry_t.self, count: table.count)
        var index = 0
        for field in table {
            entries[index] = amqp_table_entry_t(key: bytes(field.name), value: value(field.value))
            index += 1
        }
        return amqp_table_t(num_entries: Int32(table.count), entries: entries)
    }

    private func array(_ elements: [FieldValue]) -> amqp_array_t {
        guard !elements.isEmpty else { return amqp_array_t(num_entries: 0, entries: nil) }
        let entries = allocate(amqp_field_value_t.self, count: elements.count)
        for (index, element) in elements.enumerated() { entries[index] = value(element) }
        return amqp_array_t(num_entries: Int32(elements.count), entries: entries)
    }

    private func value(_ value: FieldValue) -> amqp_field_value_t {
        var result = amqp_field_value_t()
        result.kind = value.octet
        switch value {
        case .bool(let flag): result.value.boolean = flag ? 1 : 0
        case .int8(let number): result.value.i8 = number
        case .uint8(let number): result.value.u8 = number
        case .int16(let number): result.value.i16 = number
        case .uint16(let number): result.value.u16 = number
        case .int32(let number): result.value.i32 = number
        case .uint32(let number): result.value.u32 = number
        case .int64(let number): result.value.i64 = number
        case .longLong(let number): result.value.u64 = UInt64(bitPattern: number)
        case .float(let number): result.value.f32 = number
        case .double(let number): result.value.f64 = number
        case .decimal(let scale, let number):
            result.value.decimal = amqp_decimal_t(decimals: scale, value: number)
        case .string(let text): result.value.bytes = bytes(text)
        case .longBytes(let array), .bytes(let array): result.value.bytes = bytes(array)
        case .array(let elements): result.value.array = array(elements)
        case .timestamp(let seconds): result.value.u64 = seconds
        case .table(let fields): result.value.table = table(fields)
        case .void: break
        }
        return result
    }

    private func copy(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
        guard let start = source.baseAddress, !source.isEmpty, let target = amqp_pool_alloc(pool, source.count) else {
            return amqp_bytes_t(len: 0, bytes: nil)
        }
        target.copyMemory(from: start, byteCount: source.count)
        return amqp_bytes_t(len: source.count, bytes: target)
    }

    private func allocate<Element>(_ type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
        guard let memory = amqp_pool_alloc(pool, count * MemoryLayout<Element>.stride) else {
            // As everywhere in Swift, running out of memory ends the process.
            preconditionFailure("out of memory")
        }
        return memory.bindMemory(to: type, capacity: count)
    }
}
