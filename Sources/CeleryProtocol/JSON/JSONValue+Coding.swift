extension JSONValue {
    /// Reads a text of Python's JSON dialect with kombu's extended types, as `kombu.utils.json.loads` does.
    ///
    /// Accepted beyond RFC 8259: `NaN`, `Infinity`, `-Infinity` and integers of any size. Of equal keys in one map the last
    /// value counts, at the first one's place. A map of exactly the keys `__type__` and `__value__` is an extended value.
    ///
    /// - Throws: ``ProtocolError`` with the code `.malformedJSON`, `.invalidUTF8`, `.loneSurrogate`, `.nestingTooDeep`,
    ///   `.tooLarge`, `.unknownExtendedType`, `.invalidExtendedValue` or `.invalidDate`.
    public init(parsing bytes: [UInt8], limits: JSONLimits = .init()) throws(ProtocolError) {
        guard bytes.count <= limits.maxBytes else {
            throw ProtocolError(.tooLarge, "\(bytes.count) bytes of JSON, at most \(limits.maxBytes) are accepted")
        }
        self = try JSONParser.parse(bytes, limits: limits)
    }

    /// The text that Python's `json.dumps` with kombu's encoder writes for this value, as UTF-8 (in fact ASCII).
    public func serialized() -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(128)
        write(to: &output)
        return output
    }

    /// Appends the text of ``serialized()``.
    public func write(to output: inout [UInt8]) {
        JSONWriter.write(self, to: &output)
    }
}
