/// Takes numbers and texts off an input, zeros and empty ones when it is used up.
struct InputReader {
    private var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) {
        rest = input[...]
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// A number of the same width as the type's, big end first.
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number {
        var number: Number = 0
        for _ in 0..<(Number.bitWidth / 8) {
            number = Number(truncatingIfNeeded: UInt64(truncatingIfNeeded: number) << 8 | UInt64(byte()))
        }
        return number
    }

    /// At most so many bytes.
    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// Text of a length that stands before it.
    mutating func text() -> String {
        let count = Int(byte())
        return String(decoding: bytes(count), as: UTF8.self)
    }

    /// All that is left.
    mutating func remainder() -> [UInt8] { bytes(rest.count) }
}
