import CeleryProtocol
import FoundationEssentials
import Testing

/// kombu's envelopes, `{"__type__": T, "__value__": V}`.
@Suite struct ExtendedTypeTests {
    private func parse(_ text: String) throws(ProtocolError) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8))
    }

    private func text(_ value: JSONValue) -> String { String(decoding: value.serialized(), as: UTF8.self) }

    private func code(_ text: String) -> ProtocolError.Code? {
        do throws(ProtocolError) {
            _ = try parse(text)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func everyTypeComesBack() throws {
        let uuid = try #require(UUID(uuidString: "12345678-1234-5678-1234-567812345678"))
        let values: [(JSONValue, String)] = [
            (
                .datetime(try WireDate(parsing: "2024-02-29T13:14:15.160000+00:00")),
                #"{"__type__": "datetime", "__value__": "2024-02-29T13:14:15.160000+00:00"}"#
            ),
            (.date("2024-02-29"), #"{"__type__": "date", "__value__": "2024-02-29"}"#),
            (.time("01:02:03-03:00"), #"{"__type__": "time", "__value__": "01:02:03-03:00"}"#),
            (.decimal("3.140"), #"{"__type__": "decimal", "__value__": "3.140"}"#),
            (.uuid(uuid), #"{"__type__": "uuid", "__value__": {"hex": "12345678123456781234567812345678"}}"#),
            (.bytes(Array("grüß".utf8)), #"{"__type__": "bytes", "__value__": "gr\u00fc\u00df"}"#),
            (.bytes([0, 0xFF, 0xFE]), #"{"__type__": "base64", "__value__": "AP/+"}"#),
            (.bytes([]), #"{"__type__": "bytes", "__value__": ""}"#),
        ]
        for (value, expected) in values {
            #expect(text(value) == expected)
            #expect(try parse(expected) == value)
        }
    }

    @Test func onlyExactlyTheTwoKeysAreAnEnvelope() throws {
        #expect(try parse(#"{"__type__": "bytes"}"#) == .object(["__type__": "bytes"]))
        #expect(
            try parse(#"{"__type__": "bytes", "__value__": "x", "a": 1}"#)
                == .object(["__type__": "bytes", "__value__": "x", "a": 1])
        )
        #expect(try parse(#"{"__value__": "x", "__type__": "bytes"}"#) == .bytes([0x78]))
    }

    @Test func unknownTypesAreErrors() {
        #expect(code(#"{"__type__": "set", "__value__": []}"#) == .unknownExtendedType)
        #expect(code(#"[{"a": {"__type__": 1, "__value__": 2}}]"#) == .unknownExtendedType)
        #expect(code(#"{"__type__": "UUID", "__value__": {"hex": ""}}"#) == .unknownExtendedType)
    }

    @Test(arguments: [
        (#""datetime""#, #""yesterday""#, ProtocolError.Code.invalidDate),
        (#""datetime""#, "1", .invalidExtendedValue), (#""date""#, #""2023-02-29""#, .invalidDate),
        (#""time""#, #""24:00""#, .invalidDate), (#""decimal""#, #""abc""#, .invalidExtendedValue),
        (#""decimal""#, "1.5", .invalidExtendedValue), (#""uuid""#, #""12""#, .invalidExtendedValue),
        (#""uuid""#, #"{"hex": "12"}"#, .invalidExtendedValue), (#""bytes""#, "[1]", .invalidExtendedValue),
        (#""base64""#, #""AP/""#, .invalidExtendedValue), (#""base64""#, #""AP/+=""#, .invalidExtendedValue),
        (#""base64""#, #""A*==""#, .invalidExtendedValue), (#""base64""#, #""AA==AA==""#, .invalidExtendedValue),
    ])
    func valuesThatDoNotFitAreErrors(_ type: String, _ value: String, _ expected: ProtocolError.Code) {
        #expect(code(#"{"__type__": \#(type), "__value__": \#(value)}"#) == expected)
    }

    @Test func wrappedBase64IsRead() throws {
        let wrapped = #"{"__type__": "base64", "__value__": "AP/+\r\nAP8=\n"}"#
        #expect(try parse(wrapped) == .bytes([0, 0xFF, 0xFE, 0, 0xFF]))
    }

    @Test func base64OfEveryLengthComesBack() throws {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(255 - $0) } + [0xFF]
            #expect(try JSONValue(parsing: JSONValue.bytes(bytes).serialized()) == .bytes(bytes))
            #expect(text(.bytes(bytes)).contains(Data(bytes).base64EncodedString()))
        }
    }

    @Test func textThatIsNoIntegerDoesNotBreakTheJSONAroundIt() {
        #expect(text([.bigInteger("123456789012345678901")]) == "[123456789012345678901]")
        #expect(text([.bigInteger("1], \"x")]) == #"["1], \"x"]"#)
        #expect(
            text([.bigInteger(""), .bigInteger("-"), .bigInteger("--1"), .bigInteger("01")])
                == #"["", "-", "--1", "01"]"#
        )
    }
}
