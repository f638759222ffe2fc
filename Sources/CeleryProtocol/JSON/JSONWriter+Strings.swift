extension JSONWriter {
    /// Writes a string in quotes; everything outside printable ASCII is escaped.
    static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        let start = output.count
        output.append(contentsOf: text.utf8)
        if let position = firstToEscape(in: output, from: start) {
            let plainCount = position - start
            output.removeSubrange(position...)
            escape(text.unicodeScalars[text.utf8.index(text.startIndex, offsetBy: plainCount)...], to: &output)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Most strings need no escape, so the whole text is copied first and then looked through.
    private static func firstToEscape(in output: [UInt8], from start: Int) -> Int? {
        let bytes = output.span
        for position in start..<bytes.count {
            let byte = bytes[position]
            if byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return position
            }
        }
        return nil
    }

    private static func escape(_ scalars: Substring.UnicodeScalarView, to output: inout [UInt8]) {
        for scalar in scalars {
            switch scalar.value {
            case 0x22: output += #"\""#.utf8
            case 0x5C: output += #"\\"#.utf8
            case 0x20...0x7E: output.append(UInt8(truncatingIfNeeded: scalar.value))
            case 0x08: output += #"\b"#.utf8
            case 0x09: output += #"\t"#.utf8
            case 0x0A: output += #"\n"#.utf8
            case 0x0C: output += #"\f"#.utf8
            case 0x0D: output += #"\r"#.utf8
            case ...0xFFFF: appendUnit(scalar.value, to: &output)
            default:
                let offset = scalar.value - 0x10000
                appendUnit(0xD800 + offset >> 10, to: &output)
                appendUnit(0xDC00 + offset & 0x3FF, to: &output)
            }
        }
    }

    /// Appends `\uxxxx` in lower case.
    private static func appendUnit(_ unit: UInt32, to output: inout [UInt8]) {
        output += #"\u"#.utf8
        for shift: UInt32 in [12, 8, 4, 0] {
            output.append(ASCII.hexadecimalCharacter(UInt8(truncatingIfNeeded: unit >> shift & 15)))
        }
    }
}
