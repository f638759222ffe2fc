import CeleryProtocol
import Testing

/// JSON both ways, compared with what kombu does.
@Suite struct JSONPythonTests {
    let vectors: PythonVectors

    init() throws {
        vectors = try PythonVectors.load()
    }

    @Test func readsAndWritesAsKombuDoes() {
        for vector in vectors.json {
            guard let dumps = vector.dumps else {
                #expect(throws: ProtocolError.self, "\(vector.text)") {
                    try JSONValue(parsing: Array(vector.text.utf8))
                }
                continue
            }
            let written = (try? JSONValue(parsing: Array(vector.text.utf8)))?.serialized()
            #expect(written.map { String(decoding: $0, as: UTF8.self) } == dumps, "\(vector.text)")
        }
    }

    @Test func everyPrefixOfATextEndsInAnErrorOrAValue() throws {
        for vector in vectors.json where vector.dumps != nil && vector.text.utf8.count < 400 {
            let bytes = Array(vector.text.utf8)
            for count in 0..<bytes.count { _ = try? JSONValue(parsing: Array(bytes[..<count])) }
        }
    }

    @Test func writesFloatsAsPythonDoes() throws {
        for vector in vectors.floats {
            let bits = try #require(UInt64(vector.bits, radix: 16))
            let text = String(decoding: JSONValue.double(Double(bitPattern: bits)).serialized(), as: UTF8.self)
            #expect(text == (vector.repr == "inf" ? "Infinity" : vector.repr))
        }
    }

    @Test func readsFloatsAsPythonDoes() throws {
        for vector in vectors.floats {
            let bits = try #require(UInt64(vector.bits, radix: 16))
            let value = try JSONValue(parsing: Array(vector.text.utf8))
            guard case .double(let number) = value else {
                Issue.record("\(vector.text) is no float")
                continue
            }
            #expect(number.bitPattern == bits, "\(vector.text)")
        }
    }
}
