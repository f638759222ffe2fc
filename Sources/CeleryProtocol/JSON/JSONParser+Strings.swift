extension JSONParser {
    /// Reads a string from its opening quote to behind its closing one.
    mutating func parseString(_ input: Span<UInt8>) throws(ProtocolError) -> String {
        index += 1
        let start = index
        let isASCII = try scanPlainText(input)
        guard input[index] == UInt8(ascii: "\"") else { return try parseEscapedString(from: start, input) }
        let text = try string(of: bytes[start..<index], isASCII: isASCII)
        index += 1
        return text
    }

    /// Moves the cursor to the next quote or backslash and answers whether all before it is ASCII.
    private mutating func scanPlainText(_ input: Span<UInt8>) throws(ProtocolError) -> Bool {
        var position = index
        var union: UInt8 = 0
        while position < input.count {
            let byte = input[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                index = position
                return union < 0x80
            }
            guard byte >= 0x20 else {
                index = position
                throw malformed("a control character within a string")
            }
            union |= byte
            position += 1
        }
        index = position
        throw malformed("a string without its end")
    }

    /// Reads the rest of a string whose first escape is at the cursor.
    private mutating func parseEscapedString(
        from start: Int,
        _ input: Span<UInt8>
    ) throws(ProtocolError) -> String {
        scratch.removeAll(keepingCapacity: true)
        var start = start
        while true {
            scratch.append(contentsOf: bytes[start..<index])
            guard input[index] == UInt8(ascii: "\\") else { break }
            try parseEscape(input)
            start = index
            _ = try scanPlainText(input)
        }
        index += 1
        return try string(of: scratch[...], isASCII: false)
    }

    /// Reads one escape sequence into the scratch text.
    private mutating func parseEscape(_ input: Span<UInt8>) throws(ProtocolError) {
        guard index + 1 < input.count else { throw malformed("a string without its end") }
        let plain: UInt8
        switch input[index + 1] {
        case UInt8(ascii: "\""): plain = UInt8(ascii: "\"")
        case UInt8(ascii: "\\"): plain = UInt8(ascii: "\\")
        case UInt8(ascii: "/"): plain = UInt8(ascii: "/")
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"): return try parseUnicodeEscape(input)
        default: throw malformed("an unknown escape sequence")
        }
        scratch.append(plain)
        index += 2
    }

    /// Reads `\uXXXX`, or two of them that form a surrogate pair.
    private mutating func parseUnicodeEscape(_ input: Span<UInt8>) throws(ProtocolError) {
        guard let first = hexadecimalUnit(at: index + 2, input) else { throw malformed("an invalid \\u escape") }
        if let scalar = Unicode.Scalar(UInt32(first)) {
            index += 6
            return append(scalar)
        }
        // A high surrogate followed by an escaped low one is one scalar; every other surrogate is alone, as in Python.
        if first < 0xDC00, index + 7 < input.count, input[index + 6] == UInt8(ascii: "\\"),
            input[index + 7] == UInt8(ascii: "u"), let second = hexadecimalUnit(at: index + 8, input),
            (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
        {
            index += 12
            return append(scalar)
        }
        guard limits.loneSurrogates == .replace else {
            throw ProtocolError(.loneSurrogate, "half of a surrogate pair at byte \(index)")
        }
        index += 6
        append("\u{FFFD}")
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        scratch.append(contentsOf: Unicode.UTF8.encode(scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
    }

    /// The number that four hexadecimal digits form.
    private func hexadecimalUnit(at start: Int, _ input: Span<UInt8>) -> UInt16? {
        guard start + 4 <= input.count else { return nil }
        var unit: UInt16 = 0
        for position in start..<(start + 4) {
            guard let digit = ASCII.hexadecimalDigit(input[position]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The text of the bytes, which are checked unless they are ASCII.
    private func string(of text: ArraySlice<UInt8>, isASCII: Bool) throws(ProtocolError) -> String {
        guard !isASCII else { return String(decoding: text, as: UTF8.self) }
        guard let string = String(validating: text, as: UTF8.self) else {
            throw ProtocolError(.invalidUTF8, "the string that ends at byte \(index) is not valid UTF-8")
        }
        return string
    }
}
