@testable import AMQP

/// Header tables: bytes of the wire through librabbitmq's decoder, and values of ours through its encoder.
///
/// The first byte chooses: even, the rest is a table without its length; odd, values are made of the rest.
enum FieldTableFuzz {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        if reader.byte().isMultiple(of: 2) {
            decode(reader.remainder())
        } else {
            var maker = FieldTableMaker(reader)
            encode(maker.table())
        }
    }

    private static func decode(_ table: [UInt8]) {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: table.count >> (24 - 8 * $0)) }
        let onlyHeaders: [UInt8] = [0x20, 0x00]
        let frame = [0, 60, 0, 0] + [UInt8](repeating: 0, count: 8) + onlyHeaders + length + table
        do throws(AMQPError) {
            let decoded = try ContentHeaderCodec.decode(frame)
            require(decoded.properties.headers != nil, "a header table came, even if empty")
            checkRoundTrip(decoded.properties)
        } catch {
            require(error.code == .protocolViolation, "bytes that are no table violate the protocol")
            Canary.check(error)
        }
    }

    private static func encode(_ table: FieldTable) {
        var properties = BasicProperties()
        properties.headers = table
        checkRoundTrip(properties)
    }

    /// What is written is read as the same, and writes the same bytes again.
    static func checkRoundTrip(_ properties: BasicProperties) {
        let written: [UInt8]
        do throws(AMQPError) {
            written = try ContentHeaderCodec.encode(properties, bodySize: 7)
        } catch {
            // Text that was not UTF-8 grows where its bytes are replaced.
            require(error.code == .invalidArgument, "only what AMQP cannot carry is not written")
            return Canary.check(error)
        }
        require(written.count == properties.encodedSize + 12, "the size that is told is the size that is written")
        do throws(AMQPError) {
            let read = try ContentHeaderCodec.decode(written)
            require(read.bodySize == 7, "the body's size stays")
            // Bytes are compared, since no NaN equals itself.
            require(try ContentHeaderCodec.encode(read.properties, bodySize: 7) == written, "bytes stay the same")
        } catch {
            fatalError("broken rule: what was written is read: \(error)")
        }
    }
}

/// Makes a table of whatever an input says.
struct FieldTableMaker {
    private var reader: InputReader
    private var budget = 500

    init(_ reader: InputReader) {
        self.reader = reader
    }

    /// A table of all types, down to a depth.
    mutating func table(depth: Int = 0) -> FieldTable {
        var table = FieldTable()
        while !reader.isAtEnd, budget > 0 {
            let kind = reader.byte()
            guard kind != 0xff else { break }
            table.append(reader.text(), value(kind, depth: depth))
        }
        return table
    }

    private mutating func elements(depth: Int) -> [FieldValue] {
        var elements: [FieldValue] = []
        while !reader.isAtEnd, budget > 0 {
            let kind = reader.byte()
            guard kind != 0xff else { break }
            elements.append(value(kind, depth: depth))
        }
        return elements
    }

    private mutating func value(_ kind: UInt8, depth: Int) -> FieldValue {
        budget -= 1
        switch kind % 19 {
        case 0: return .bool(reader.byte() & 1 == 1)
        case 1: return .int8(reader.number(Int8.self))
        case 2: return .uint8(reader.byte())
        case 3: return .int16(reader.number(Int16.self))
        case 4: return .uint16(reader.number(UInt16.self))
        case 5: return .int32(reader.number(Int32.self))
        case 6: return .uint32(reader.number(UInt32.self))
        case 7: return .int64(reader.number(Int64.self))
        case 8: return .longLong(reader.number(Int64.self))
        case 9: return .float(Float(bitPattern: reader.number(UInt32.self)))
        case 10: return .double(Double(bitPattern: reader.number(UInt64.self)))
        case 11: return .decimal(scale: reader.byte(), value: reader.number(UInt32.self))
        case 12: return .string(reader.text())
        case 13: return .longBytes(reader.bytes(Int(reader.byte())))
        case 14: return .bytes(reader.bytes(Int(reader.byte())))
        case 15: return .timestamp(reader.number(UInt64.self))
        case 16 where depth < 150: return .array(elements(depth: depth + 1))
        case 17 where depth < 150: return .table(table(depth: depth + 1))
        default: return .void
        }
    }
}
