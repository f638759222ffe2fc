import Testing

@testable import CeleryProtocol

/// Dates, times and decimals, compared with what Python and dateutil read.
@Suite struct WireDateVectorTests {
    let vectors: PythonVectors

    init() throws {
        vectors = try PythonVectors.load()
    }

    @Test func readsDatesAsPythonDoes() {
        for vector in vectors.dates {
            #expect((try? WireDate(parsing: vector.text))?.text == vector.iso, "\(vector.text)")
        }
    }

    @Test func readsTimesAsPythonDoes() {
        for vector in vectors.times {
            var parser = ISO8601Parser(vector.text)
            #expect((try? parser.parseTime())?.text == vector.iso, "\(vector.text)")
        }
    }

    @Test func readsDecimalsAsPythonDoes() {
        for vector in vectors.decimals {
            #expect(DecimalText(parsing: vector.text)?.text == vector.decimal, "\(vector.text)")
        }
    }
}
