/// Measures how deeply encoded tables are nested, without recursion.
///
/// For bytes that are decoded on a thread whose stack nobody has sized: librabbitmq before 0.14 recurses without a bound.
enum TableDepth {
    /// Whether a content header's properties nest their headers no deeper than the limit.
    ///
    /// Bytes that are malformed in another way pass: the decoder tells what is wrong with them.
    static func isWithinLimit(properties: ArraySlice<UInt8>) -> Bool {
        var reader = Reader(rest: properties)
        guard let flags = reader.number(bytes: 2) else { return true }
        // Bits 15 and 14 are content_type and content_encoding, short strings; bit 13 is the headers.
        for bit in [15, 14] where flags >> bit & 1 == 1 {
            guard let length = reader.number(bytes: 1), reader.skip(length) else { return true }
        }
        return flags >> 13 & 1 == 0 || reader.scanTable()
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>
        /// Where the tables and arrays that are open end, with whether their values have names.
        private var open: [(end: Int, isTable: Bool)] = []

        init(rest: ArraySlice<UInt8>) {
            self.rest = rest
        }

        mutating func number(bytes count: Int) -> Int? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }

        mutating func skip(_ count: Int) -> Bool {
            guard rest.count >= count else { return false }
            rest = rest.dropFirst(count)
            return true
        }

        /// Walks through a table; false where it is nested too deeply.
        mutating func scanTable() -> Bool {
            guard begin(isTable: true) else { return true }
            while let level = open.last {
                guard open.count <= MessageLimits.depthLimit + 1 else { return false }
                if rest.startIndex >= level.end {
                    open.removeLast()
                    continue
                }
                guard skipValue(named: level.isTable) else { return true }
            }
            return true
        }

        private mutating func begin(isTable: Bool) -> Bool {
            guard let length = number(bytes: 4), length <= rest.count else { return false }
            open.append((rest.startIndex + length, isTable))
            return true
        }

        /// Skips a value, or enters it; false at the end of the bytes and at an unknown type.
        private mutating func skipValue(named: Bool) -> Bool {
            if named {
                guard let length = number(bytes: 1), skip(length) else { return false }
            }
            guard let kind = number(bytes: 1) else { return false }
            switch UInt8(kind) {
            case UInt8(ascii: "F"): return begin(isTable: true)
            case UInt8(ascii: "A"): return begin(isTable: false)
            case UInt8(ascii: "S"), UInt8(ascii: "x"):
                guard let length = number(bytes: 4) else { return false }
                return skip(length)
            case UInt8(ascii: "V"): return true
            case UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "B"): return skip(1)
            case UInt8(ascii: "s"), UInt8(ascii: "u"): return skip(2)
            case UInt8(ascii: "I"), UInt8(ascii: "i"), UInt8(ascii: "f"): return skip(4)
            case UInt8(ascii: "D"): return skip(5)
            case UInt8(ascii: "l"), UInt8(ascii: "L"), UInt8(ascii: "d"), UInt8(ascii: "T"): return skip(8)
            default: return false
            }
        }
    }
}
