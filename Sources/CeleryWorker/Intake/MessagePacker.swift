import AMQPValues

/// Packs a delivered message into one block of bytes, for a long wait.
///
/// Read, a Celery message takes some forty allocations for its headers; packed it takes one of about the size that it
/// had on the wire. The format is the worker's own and never leaves it. Every type of a field stays what it is.
struct MessagePacker {
    private var bytes: [UInt8] = []

    /// The message without delivery tag, consumer tag and redelivered flag, which belong to the delivery.
    mutating func pack(_ message: IncomingMessage) -> [UInt8] {
        bytes.removeAll(keepingCapacity: true)
        put(message.exchange)
        put(message.routingKey)
        put(message.properties)
        put(message.body)
        // The scratch space keeps its room, the copy has none to spare.
        var packed: [UInt8] = []
        packed.reserveCapacity(bytes.count)
        packed.append(contentsOf: bytes)
        return packed
    }
}

extension MessagePacker {
    private mutating func put(_ properties: BasicProperties) {
        put(properties.contentType)
        put(properties.contentEncoding)
        put(properties.headers) { $0.put($1) }
        put(properties.deliveryMode) { $0.bytes.append($1) }
        put(properties.priority) { $0.bytes.append($1) }
        put(properties.correlationID)
        put(properties.replyTo)
        put(properties.expiration)
        put(properties.messageID)
        put(properties.timestamp) { $0.put(fixed: $1) }
        put(properties.type)
        put(properties.userID)
        put(properties.appID)
        put(properties.clusterID)
    }

    private mutating func put<Value>(_ value: Value?, _ write: (inout MessagePacker, Value) -> Void) {
        bytes.append(value == nil ? 0 : 1)
        if let value { write(&self, value) }
    }

    private mutating func put(_ text: String?) { put(text) { $0.put($1) } }

    private mutating func put(_ table: FieldTable) {
        put(count: table.count)
        for field in table.fields {
            if let index = PackedNames.index(of: field.name) {
                bytes.append(index)
            } else {
                bytes.append(PackedNames.spelledOut)
                put(field.name)
            }
            put(field.value)
        }
    }

    private mutating func put(_ value: FieldValue) {
        switch value {
        case .bool(let flag): put("t", fixed: flag ? UInt8(1) : 0)
        case .int8(let number): put("b", fixed: number)
        case .uint8(let number): put("B", fixed: number)
        case .int16(let number): put("s", fixed: number)
        case .uint16(let number): put("u", fixed: number)
        case .int32(let number): put("I", fixed: number)
        case .uint32(let number): put("i", fixed: number)
        case .int64(let number): put("l", fixed: number)
        case .longLong(let number): put("L", fixed: number)
        case .float(let number): put("f", fixed: number.bitPattern)
        case .double(let number): put("d", fixed: number.bitPattern)
        case .decimal(let scale, let number):
            put("D", fixed: scale)
            put(fixed: number)
        case .string(let text):
            put(type: "S")
            put(text)
        case .longBytes(let data):
            put(type: "Y")
            put(data)
        case .bytes(let data):
            put(type: "x")
            put(data)
        case .array(let elements):
            put(type: "A")
            put(count: elements.count)
            for element in elements { put(element) }
        case .timestamp(let seconds): put("T", fixed: seconds)
        case .table(let table):
            put(type: "F")
            put(table)
        case .void: put(type: "V")
        }
    }

    private mutating func put(_ type: Unicode.Scalar, fixed number: some FixedWidthInteger) {
        put(type: type)
        put(fixed: number)
    }

    private mutating func put(type: Unicode.Scalar) { bytes.append(UInt8(ascii: type)) }

    private mutating func put(_ text: String) {
        put(count: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func put(_ data: [UInt8]) {
        put(count: data.count)
        bytes.append(contentsOf: data)
    }

    /// Seven bits at a time, the lowest first.
    private mutating func put(count: Int) {
        var rest = UInt(count)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func put(fixed number: some FixedWidthInteger) {
        var rest = number
        for _ in 0..<(number.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
}

/// Header names that take one byte: those which Celery writes.
enum PackedNames {
    static let spelledOut: UInt8 = 255

    private static let names = [
        "lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries", "timelimit", "root_id",
        "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result", "replaced_task_nesting", "stamped_headers",
        "stamps", "compression",
    ]
    private static let indices = Dictionary(uniqueKeysWithValues: zip(names, UInt8(0)...))

    static func index(of name: String) -> UInt8? { indices[name] }

    static func name(_ index: UInt8) -> String? { index < names.count ? names[Int(index)] : nil }
}
