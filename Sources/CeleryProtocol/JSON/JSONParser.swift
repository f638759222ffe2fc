import OrderedCollections

/// Reads one JSON text in Python's dialect.
///
/// Recursion is counted against the limit on depth. The bytes are passed along as a span, whose reads cost no reference counting; text is cut from the array.
struct JSONParser {
    let bytes: [UInt8]
    let limits: JSONLimits
    var index = 0
    /// The text of a string with escapes, kept for its capacity.
    var scratch: [UInt8] = []
    private var depth = 0

    /// The room that a container which is not empty begins with: that of a body's third element.
    private static let usualCount = 4

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    static func parse(_ bytes: [UInt8], limits: JSONLimits) throws(ProtocolError) -> JSONValue {
        var parser = JSONParser(bytes: bytes, limits: limits)
        do throws(ProtocolError) {
            return try parser.parseDocument(bytes.span)
        } catch {
            // Python decodes the whole text first, so broken UTF-8 anywhere comes before broken JSON.
            guard error.code == .malformedJSON, String(validating: bytes, as: UTF8.self) == nil else { throw error }
            throw ProtocolError(.invalidUTF8, "the JSON text is not valid UTF-8")
        }
    }

    private mutating func parseDocument(_ input: Span<UInt8>) throws(ProtocolError) -> JSONValue {
        skipWhitespace(input)
        let value = try parseValue(input)
        skipWhitespace(input)
        guard index == input.count else { throw malformed("text after the value") }
        return value
    }

    private mutating func parseValue(_ input: Span<UInt8>) throws(ProtocolError) -> JSONValue {
        guard index < input.count else { throw malformed("a value is missing") }
        switch input[index] {
        case UInt8(ascii: "\""): return .string(try parseString(input))
        case UInt8(ascii: "{"): return try parseObject(input)
        case UInt8(ascii: "["): return try parseArray(input)
        case UInt8(ascii: "n"): return try parseLiteral("null", .null, input)
        case UInt8(ascii: "t"): return try parseLiteral("true", .bool(true), input)
        case UInt8(ascii: "f"): return try parseLiteral("false", .bool(false), input)
        case UInt8(ascii: "N"): return try parseLiteral("NaN", .double(.nan), input)
        case UInt8(ascii: "I"): return try parseLiteral("Infinity", .double(.infinity), input)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber(input)
        default: throw malformed("a value is missing")
        }
    }

    private mutating func parseArray(_ input: Span<UInt8>) throws(ProtocolError) -> JSONValue {
        try descend()
        var elements: [JSONValue] = []
        if !closes(with: UInt8(ascii: "]"), input) {
            elements.reserveCapacity(Self.usualCount)
            repeat {
                skipWhitespace(input)
                elements.append(try parseValue(input))
            } while try continues(until: UInt8(ascii: "]"), input)
        }
        depth -= 1
        return .array(elements)
    }

    private mutating func parseObject(_ input: Span<UInt8>) throws(ProtocolError) -> JSONValue {
        try descend()
        var entries = JSONObject()
        if !closes(with: UInt8(ascii: "}"), input) {
            entries.reserveCapacity(Self.usualCount)
            repeat {
                let key = try parseKey(input)
                entries.updateValue(try parseValue(input), forKey: key)
            } while try continues(until: UInt8(ascii: "}"), input)
        }
        depth -= 1
        guard ExtendedType.isEnvelope(entries) else { return .object(entries) }
        return try ExtendedType.decode(entries)
    }

    /// Reads a key and the colon behind it, up to the value.
    private mutating func parseKey(_ input: Span<UInt8>) throws(ProtocolError) -> String {
        skipWhitespace(input)
        guard index < input.count, input[index] == UInt8(ascii: "\"") else { throw malformed("a map's key is missing") }
        let key = try parseString(input)
        skipWhitespace(input)
        guard index < input.count, input[index] == UInt8(ascii: ":") else { throw malformed("a colon is missing") }
        index += 1
        skipWhitespace(input)
        return key
    }

    /// Steps over the opening bracket and counts the level.
    private mutating func descend() throws(ProtocolError) {
        depth += 1
        guard depth <= limits.maxDepth else {
            throw ProtocolError(.nestingTooDeep, "JSON nested deeper than \(limits.maxDepth) levels")
        }
        index += 1
    }

    /// Whether the container just opened is empty; then its closing bracket is consumed.
    private mutating func closes(with bracket: UInt8, _ input: Span<UInt8>) -> Bool {
        skipWhitespace(input)
        guard index < input.count, input[index] == bracket else { return false }
        index += 1
        return true
    }

    /// Consumes a comma, answering true, or the closing bracket, answering false.
    private mutating func continues(until bracket: UInt8, _ input: Span<UInt8>) throws(ProtocolError) -> Bool {
        skipWhitespace(input)
        guard index < input.count, input[index] == UInt8(ascii: ",") || input[index] == bracket else {
            throw malformed("a comma or a closing bracket is missing")
        }
        index += 1
        return input[index - 1] != bracket
    }

    mutating func parseLiteral(
        _ text: String,
        _ value: JSONValue,
        _ input: Span<UInt8>
    ) throws(ProtocolError) -> JSONValue {
        var end = index
        for byte in text.utf8 {
            guard end < input.count, input[end] == byte else { throw malformed("a value is missing") }
            end += 1
        }
        index = end
        return value
    }

    private mutating func skipWhitespace(_ input: Span<UInt8>) {
        while index < input.count {
            switch input[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    func malformed(_ rule: String) -> ProtocolError {
        ProtocolError(.malformedJSON, "\(rule) at byte \(index)")
    }
}
