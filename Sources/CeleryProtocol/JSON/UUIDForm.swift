import FoundationEssentials
import OrderedCollections

/// The keyword arguments of Python's `uuid.UUID`, one of which the `__value__` of a UUID holds; kombu writes `hex`.
enum UUIDForm {
    /// The UUID of a map with `hex`, `bytes`, `bytes_le`, `fields` or `int`, and perhaps `version`.
    static func decode(_ value: JSONValue) -> UUID? {
        guard case .object(var entries) = value else { return nil }
        let version = entries.removeValue(forKey: "version")
        guard entries.count == 1, let entry = entries.elements.first, var bytes = bytes(of: entry.key, entry.value)
        else { return nil }
        switch version {
        case nil, .null?: break
        case .int(let number)? where (1...5).contains(number): apply(version: UInt8(number), to: &bytes)
        default: return nil
        }
        return UUID(bytes: bytes)
    }

    private static func bytes(of form: String, _ value: JSONValue) -> [UInt8]? {
        switch (form, value) {
        case ("hex", .string(let text)): UUID(pythonHex: text)?.bytes
        case ("bytes", .bytes(let bytes)) where bytes.count == 16: bytes
        case ("bytes_le", .bytes(let bytes)) where bytes.count == 16:
            bytes[..<4].reversed() + bytes[4..<6].reversed() + bytes[6..<8].reversed() + bytes[8...]
        case ("fields", .array(let fields)): bytes(ofFields: fields)
        case ("int", .int(let number)) where number >= 0: bigEndian(UInt128(number), width: 16)
        case ("int", .bigInteger(let digits)): UInt128(digits).map { bigEndian($0, width: 16) }
        default: nil
        }
    }

    /// time_low, time_mid, time_hi_version, clock_seq_hi_variant, clock_seq_low, node.
    private static func bytes(ofFields fields: [JSONValue]) -> [UInt8]? {
        let widths = [4, 2, 2, 1, 1, 6]
        guard fields.count == widths.count else { return nil }
        var bytes: [UInt8] = []
        for (field, width) in zip(fields, widths) {
            guard case .int(let number) = field, number >= 0, number < 1 << (8 * width) else { return nil }
            bytes += bigEndian(UInt128(number), width: width)
        }
        return bytes
    }

    private static func bigEndian(_ number: UInt128, width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> UInt128(8 * $0)) }
    }

    /// Sets variant and version as RFC 4122 wants them.
    private static func apply(version: UInt8, to bytes: inout [UInt8]) {
        bytes[8] = bytes[8] & 0x3F | 0x80
        bytes[6] = bytes[6] & 0x0F | version << 4
    }
}
