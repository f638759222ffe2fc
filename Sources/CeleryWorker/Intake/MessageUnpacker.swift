import AMQPValues

/// Reads what `MessagePacker` has written.
struct MessageUnpacker {
    /// The block ends too early or holds what no packer writes.
    struct Damaged: Error {}

    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The message, as a delivery that has the tags of none.
    ///
    /// - Throws: `Damaged`.
    static func unpack(_ bytes: [UInt8]) throws(Damaged) -> IncomingMessage {
        var unpacker = MessageUnpacker(bytes)
        return IncomingMessage(
            deliveryTag: 0,
            exchange: try unpacker.text(),
            routingKey: try unpacker.text(),
            properties: try unpacker.properties(),
            body: try unpacker.data()
        )
    }
}

extension MessageUnpacker {
    private mutating func properties() throws(Damaged) -> BasicProperties {
        var properties = BasicProperties()
        properties.contentType = try optionalText()
        properties.contentEncoding = try optionalText()
        if try isPresent() { properties.headers = try table() }
        if try isPresent() { properties.deliveryMode = try byte() }
        if try isPresent() { properties.priority = try byte() }
        properties.correlationID = try optionalText()
        properties.replyTo = try optionalText()
        properties.expiration = try optionalText()
        properties.messageID = try optionalText()
        if try isPresent() { properties.timestamp = try fixed() }
        properties.type = try optionalText()
        properties.userID = try optionalText()
        properties.appID = try optionalText()
        properties.clusterID = try optionalText()
        return properties
    }

    private mutating func table() throws(Damaged) -> FieldTable {
        var table = FieldTable()
        let count = try count()
        table.reserveCapacity(count)
        for _ in 0..<count {
            let index = try byte()
            guard index != PackedNames.spelledOut else {
                table.append(try text(), try value())
                continue
            }
            guard let name = PackedNames.name(index) else { throw Damaged() }
            table.append(name, try value())
        }
        return table
    }

    private mutating func value() throws(Damaged) -> FieldValue {
        switch UnicodeScalar(try byte()) {
        case "t": .bool(try byte() != 0)
        case "b": .int8(try fixed())
        case "B": .uint8(try fixed())
        case "s": .int16(try fixed())
        case "u": .uint16(try fixed())
        case "I": .int32(try fixed())
        case "i": .uint32(try fixed())
        case "l": .int64(try fixed())
        case "L": .longLong(try fixed())
        case "f": .float(Float(bitPattern: try fixed()))
        case "d": .double(Double(bitPattern: try fixed()))
        case "D": .decimal(scale: try byte(), value: try fixed())
        case "S": .string(try text())
        case "Y": .longBytes(try data())
        case "x": .bytes(try data())
        case "A": .array(try array())
        case "T": .timestamp(try fixed())
        case "F": .table(try table())
        case "V": .void
        default: throw Damaged()
        }
    }

    private mutating func array() throws(Damaged) -> [FieldValue] {
        let count = try count()
        var elements: [FieldValue] = []
        elements.reserveCapacity(count)
        for _ in 0..<count { elements.append(try value()) }
        return elements
    }

    private mutating func optionalText() throws(Damaged) -> String? { try isPresent() ? try text() : nil }

    private mutating func isPresent() throws(Damaged) -> Bool { try byte() != 0 }

    private mutating func text() throws(Damaged) -> String { String(decoding: try slice(), as: UTF8.self) }

    private mutating func data() throws(Damaged) -> [UInt8] { Array(try slice()) }

    private mutating func slice() throws(Damaged) -> ArraySlice<UInt8> {
        let count = try count()
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// A number of elements or bytes, each of which takes at least one of the bytes that are left.
    private mutating func count() throws(Damaged) -> Int {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            number |= UInt64(next & 0x7f) << shift
            shift += 7
            if next < 0x80 { break }
            guard shift < 63 else { throw Damaged() }
        }
        guard let count = Int(exactly: number), count <= bytes.count - position else { throw Damaged() }
        return count
    }

    private mutating func byte() throws(Damaged) -> UInt8 {
        guard position < bytes.count else { throw Damaged() }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func fixed<Number: FixedWidthInteger>() throws(Damaged) -> Number {
        var number: Number = 0
        for index in 0..<(Number.bitWidth / 8) {
            number |= Number(truncatingIfNeeded: try byte()) << (8 * index)
        }
        return number
    }
}
