import CeleryProtocol
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String, limits: JSONLimits = .init()) throws(ProtocolError) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8), limits: limits)
    }

    private func code(_ bytes: [UInt8], limits: JSONLimits = .init()) -> ProtocolError.Code? {
        do throws(ProtocolError) {
            _ = try JSONValue(parsing: bytes, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    private func code(_ text: String, limits: JSONLimits = .init()) -> ProtocolError.Code? {
        code(Array(text.utf8), limits: limits)
    }

    @Test func keepsIntegersAndFloatsApart() throws {
        #expect(try parse("1") == .int(1))
        #expect(try parse("1.0") == .double(1))
        #expect(try parse("1") != parse("1.0"))
        #expect(try parse("1e0") == .double(1))
        #expect(try parse("-0") == .int(0))
    }

    @Test func keepsIntegersOfAnySize() throws {
        #expect(try parse("9223372036854775807") == .int(.max))
        #expect(try parse("-9223372036854775808") == .int(.min))
        #expect(try parse("9223372036854775808") == .bigInteger("9223372036854775808"))
        #expect(try parse("-9223372036854775809") == .bigInteger("-9223372036854775809"))
        #expect(try parse("18446744073709551616") == .bigInteger("18446744073709551616"))
    }

    @Test func boundsTheDigitsOfIntegers() {
        #expect(code(String(repeating: "1", count: 4300)) == nil)
        #expect(code(String(repeating: "1", count: 4301)) == .tooLarge)
        #expect(code("12345", limits: JSONLimits(maxIntegerDigits: 4)) == .tooLarge)
        #expect(code("1234.5", limits: JSONLimits(maxIntegerDigits: 3)) == nil)
    }

    @Test func readsWhatPythonWritesForNumbersThatAreNone() throws {
        let value = try parse("[NaN, Infinity, -Infinity]")
        #expect(value[0]?.doubleValue?.isNaN == true)
        #expect(value[1] == .double(.infinity))
        #expect(value[2] == .double(-.infinity))
    }

    @Test func keepsTheOrderOfKeysAndTheLastOfEqualOnes() throws {
        #expect(try parse(#"{"b": 1, "a": 2, "b": 3}"#) == .object(["b": 3, "a": 2]))
        #expect(try parse(#"{"b": 1, "a": 2}"#) != .object(["a": 2, "b": 1]))
    }

    @Test func boundsTheDepth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(code(nested(64)) == nil)
        #expect(code(nested(65)) == .nestingTooDeep)
        #expect(code(nested(200)) == .nestingTooDeep)
        #expect(code(String(repeating: #"{"a":"#, count: 100_000)) == .nestingTooDeep)
        #expect(code(String(repeating: "[", count: 1_000_000), limits: JSONLimits(maxDepth: .max)) == .nestingTooDeep)
        #expect(code(nested(JSONLimits.greatestDepth), limits: JSONLimits(maxDepth: .max)) == nil)
        #expect(code("[[1]]", limits: JSONLimits(maxDepth: 1)) == .nestingTooDeep)
        #expect(code("[[1], [1], [1]]", limits: JSONLimits(maxDepth: 2)) == nil)
    }

    @Test func keepsTheDepthWithinItsRange() {
        var limits = JSONLimits(maxDepth: -5)
        #expect(limits.maxDepth == 1)
        limits.maxDepth = 1_000_000
        #expect(limits.maxDepth == JSONLimits.greatestDepth)
    }

    @Test func boundsTheSize() {
        #expect(code("[1, 2]", limits: JSONLimits(maxBytes: 6)) == nil)
        #expect(code("[1, 23]", limits: JSONLimits(maxBytes: 6)) == .tooLarge)
    }

    @Test func refusesTextThatIsNotUTF8() {
        #expect(code([0x22, 0xFF, 0x22]) == .invalidUTF8)
        #expect(code([0x22, 0xC3, 0x22]) == .invalidUTF8)
        #expect(code([0x22, 0xED, 0xA0, 0x80, 0x22]) == .invalidUTF8)
        #expect(code([0x5B, 0xFF, 0x5D]) == .invalidUTF8)
        #expect(code([0x22, 0x5C, 0x6E, 0xFF, 0x22]) == .invalidUTF8)
    }

    @Test func refusesAByteOrderMark() {
        #expect(code("\u{FEFF}1") == .malformedJSON)
    }

    @Test func refusesHalvesOfSurrogatePairsUnlessTheyMayBeReplaced() throws {
        let texts = [#""\ud800""#, #""\ud800x""#, #""\udc00\ud800""#, #""\ud800\u0041""#, #""\ud800\ud800""#]
        for text in texts { #expect(code(text) == .loneSurrogate) }
        let lenient = JSONLimits(loneSurrogates: .replace)
        #expect(try parse(#""a\ud800b""#, limits: lenient) == "a\u{FFFD}b")
        #expect(try parse(#""\udc00\ud800""#, limits: lenient) == "\u{FFFD}\u{FFFD}")
        #expect(try parse(#""\ud83d\ud83d\ude00""#, limits: lenient) == "\u{FFFD}😀")
        #expect(try parse(#""\ud83d\ude00""#) == "😀")
    }

    @Test func unfoldsEscapes() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9""#) == .string("\"\\/\u{8}\u{C}\n\r\t\u{E9}"))
        #expect(try parse(#"{"\u0061": "x\ny", "b\\": 1}"#) == .object(["a": "x\ny", "b\\": 1]))
    }

    @Test(arguments: [
        "", "[", "[1", "[1,", "[1,]", "{", #"{"a""#, #"{"a":"#, #"{"a":1"#, #"{"a":1,"#, #"{"a":1,}"#, "01", "-", "1.",
        "1e",
        "1e+", ".5", "+1", "-01", "nul", "truE", "Nan", "-NaN", "-Infinit", "[1]]", "1 1", #"""#, #""\"#, #""\u"#,
        #""\u00e"#,
        #""\q""#, "\"\n\"", "\"\u{1F}\"", "'a'", "{1:2}", "[1;2]", #"{"a" 1}"#, "\u{B}1", "\u{A0}1", "\0",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(code(text) == .malformedJSON)
    }

    @Test func errorsDoNotQuoteTheText() {
        for text in [#"{"password": hunter2}"#, #"{"__type__": "hunter2", "__value__": 1}"#, #"["hunter2" hunter2]"#] {
            do throws(ProtocolError) {
                _ = try parse(text)
                Issue.record("\(text) was accepted")
            } catch {
                #expect(!error.description.contains("hunter2"))
            }
        }
    }
}
