/// Base64 in the standard alphabet with padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// Appends the text of the bytes.
    static func encode(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.reserveCapacity(output.count + (bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group = UInt32(bytes[index]) << 16
            if count > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if count > 2 { group |= UInt32(bytes[index + 2]) }
            for position in 0..<4 {
                let digit = Int(group >> UInt32(18 - 6 * position) & 63)
                output.append(position <= count ? alphabet[digit] : padding)
            }
            index += 3
        }
    }

    /// The bytes of a text.
    ///
    /// Line breaks and blanks are skipped, as encoders that wrap their lines need it; other characters, missing padding and
    /// text behind the padding make the text invalid.
    static func decode(_ text: String) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count / 4 * 3)
        var group: UInt32 = 0
        var digits = 0
        var paddings = 0
        for byte in text.utf8 {
            if byte == 0x20 || (0x09...0x0D).contains(byte) { continue }
            if byte == padding {
                paddings += 1
                continue
            }
            guard paddings == 0, let value = value(of: byte) else { return nil }
            group = group << 6 | value
            digits += 1
            if digits == 4 {
                append(group, bytes: 3, to: &output)
                (group, digits) = (0, 0)
            }
        }
        switch (digits, paddings) {
        case (0, 0): break
        case (2, 2): append(group << 12, bytes: 1, to: &output)
        case (3, 1): append(group << 6, bytes: 2, to: &output)
        default: return nil
        }
        return output
    }

    private static func append(_ group: UInt32, bytes count: Int, to output: inout [UInt8]) {
        for position in 0..<count {
            output.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * position)))
        }
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
