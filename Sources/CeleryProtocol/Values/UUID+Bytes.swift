package import FoundationEssentials

extension UUID {
    /// A UUID of exactly 16 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        let b = Array(bytes)
        self.init(
            uuid: (
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]
            )
        )
    }

    /// The 16 bytes in the order of the text.
    package var bytes: [UInt8] {
        let u = uuid
        return [
            u.0, u.1, u.2, u.3, u.4, u.5, u.6, u.7, u.8, u.9, u.10, u.11, u.12, u.13, u.14, u.15,
        ]
    }

    /// Reads what Python's `UUID(hex)` accepts: 32 hexadecimal digits with dashes anywhere, braces or a URN prefix.
    init?(pythonHex text: String) {
        var bytes: [UInt8] = []
        var high: UInt8?
        let digits = Self.withoutDecoration(text)
        guard digits.utf8.count <= 64 else { return nil }
        for byte in digits.utf8 where byte != UInt8(ascii: "-") {
            guard let digit = ASCII.hexadecimalDigit(byte) else { return nil }
            if let upper = high {
                bytes.append(upper << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { return nil }
        self.init(bytes: bytes)
    }

    private static func withoutDecoration(_ text: String) -> Substring {
        var text = text[...]
        for prefix in ["urn:", "uuid:"] where text.hasPrefix(prefix) { text = text.dropFirst(prefix.count) }
        while text.first == "{" || text.first == "}" { text = text.dropFirst() }
        while text.last == "{" || text.last == "}" { text = text.dropLast() }
        return text
    }

    /// Appends 32 hexadecimal digits in lower case, with dashes in their places if asked for.
    package func writeHexadecimal(dashes: Bool, to output: inout [UInt8]) {
        for (position, byte) in bytes.enumerated() {
            if dashes, [4, 6, 8, 10].contains(position) { output.append(UInt8(ascii: "-")) }
            output.append(ASCII.hexadecimalCharacter(byte >> 4))
            output.append(ASCII.hexadecimalCharacter(byte & 15))
        }
    }
}
