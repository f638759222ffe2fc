import CeleryProtocol
import Testing

/// Whatever arrives, the answer is a value or an error.
@Suite struct DamagedInputTests {
    /// Numbers that are the same in every run (splitmix64).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    @Test func damagedBytesEndInAValueThatComesBackOrInAnError() throws {
        var generator = Generator(state: 1)
        let sources = try PythonVectors.load().json.map { Array($0.text.utf8) }.filter { !$0.isEmpty && $0.count < 600 }
        var accepted = 0
        for _ in 0..<20_000 {
            guard var bytes = sources.randomElement(using: &generator) else { continue }
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let value = try? JSONValue(parsing: bytes, limits: JSONLimits(loneSurrogates: .replace)) else {
                continue
            }
            accepted += 1
            let text = value.serialized()
            #expect(try JSONValue(parsing: text).serialized() == text)
            _ = PythonRepr.repr(value, maxLength: Int.random(in: -1...40, using: &generator))
            _ = try? JSONValueDecoder().decode([Picture].self, from: value)
        }
        #expect(accepted > 500)
    }

    @Test(arguments: [
        "1e9223372036854775807", "0.1e-9223372036854775808", "1e-9223372036854775807", "0e9999999999999999999", "1e",
        "e1", "-",
        "1e4611686018427387904", "0.0000e-1999999999999999997",
    ])
    func extremeExponentsOfDecimals(_ text: String) {
        let json = #"{"__type__": "decimal", "__value__": "\#(text)"}"#
        _ = try? JSONValue(parsing: Array(json.utf8))
        _ = try? JSONValueDecoder().decode(Double.self, from: .string(text))
    }

    @Test func damagedDatesEndInADateOrAnError() {
        var generator = Generator(state: 2)
        let alphabet = Array("0123456789-:.,TZ+W é".unicodeScalars)
        for _ in 0..<20_000 {
            var text = Array(
                "2024-02-29T13:14:15.160000+05:30".unicodeScalars.prefix(Int.random(in: 0...32, using: &generator))
            )
            for _ in 0..<2 where !text.isEmpty {
                text[Int.random(in: text.indices, using: &generator)] = alphabet.randomElement(using: &generator) ?? "x"
            }
            var string = ""
            string.unicodeScalars.append(contentsOf: text)
            guard let date = try? WireDate(parsing: string) else { continue }
            #expect((try? WireDate(parsing: date.text)) == date)
        }
    }
}
