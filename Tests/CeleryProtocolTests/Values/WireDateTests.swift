import CeleryProtocol
import FoundationEssentials
import Testing

@Suite struct WireDateTests {
    @Test func writesMicrosecondsOnlyWhereThereAreAny() {
        let date = Date(timeIntervalSince1970: 1_709_212_455)
        #expect(WireDate(date).text == "2024-02-29T13:14:15+00:00")
        #expect(WireDate(date.addingTimeInterval(0.000016)).text == "2024-02-29T13:14:15.000016+00:00")
        #expect(WireDate(date, offsetSeconds: nil).text == "2024-02-29T13:14:15")
        #expect(WireDate(date, offsetSeconds: 19_800).text == "2024-02-29T18:44:15+05:30")
        #expect(WireDate(date, offsetSeconds: -10_800).text == "2024-02-29T10:14:15-03:00")
        #expect(WireDate(date, offsetSeconds: -1).text == "2024-02-29T13:14:14-00:00:01")
    }

    @Test func isExactToTheMicrosecond() throws {
        for microsecond in stride(from: 0, to: 1_000_000, by: 997) {
            let digits = String(microsecond + 1_000_000).dropFirst()
            let wire = try WireDate(parsing: "2031-12-31T23:59:59.\(digits)Z")
            #expect(WireDate(wire.date) == wire)
            #expect(
                wire.text == (microsecond == 0 ? "2031-12-31T23:59:59+00:00" : "2031-12-31T23:59:59.\(digits)+00:00")
            )
        }
    }

    @Test func readsTheSameInstantFromDifferentOffsets() throws {
        let texts = ["2024-02-29T13:14:15Z", "2024-02-29T18:44:15+05:30", "20240229T101415-03", "2024-02-29 13:14:15"]
        for text in texts {
            #expect(try WireDate(parsing: text).date == Date(timeIntervalSince1970: 1_709_212_455))
        }
        #expect(try WireDate(parsing: texts[0]) != WireDate(parsing: texts[1]))
        #expect(try WireDate(parsing: texts[1]).offsetSeconds == 19_800)
        #expect(try WireDate(parsing: texts[3]).offsetSeconds == nil)
    }

    @Test func staysWithinTheYearsThatPythonKnows() {
        #expect(WireDate(Date(timeIntervalSince1970: 1e18)).text == "9999-12-31T23:59:59.999999+00:00")
        #expect(WireDate(Date(timeIntervalSince1970: -1e18)).text == "0001-01-01T00:00:00+00:00")
        #expect(WireDate(Date(timeIntervalSince1970: .infinity)).text == "9999-12-31T23:59:59.999999+00:00")
        #expect(WireDate(Date(timeIntervalSince1970: .nan)).text == "0001-01-01T00:00:00+00:00")
        #expect(WireDate(.distantFuture, offsetSeconds: .max).offsetSeconds == 86_399)
        #expect(
            WireDate(Date(timeIntervalSince1970: -1e18), offsetSeconds: .min).text == "0001-01-01T00:00:00-23:59:59"
        )
        #expect(
            WireDate(Date(timeIntervalSince1970: 1e18), offsetSeconds: 3600).text == "9999-12-31T23:59:59.999999+01:00"
        )
    }

    @Test func everyDayOfFourCenturiesComesBack() throws {
        for day in stride(from: -135_140, through: 146_097, by: 1) {
            let wire = WireDate(Date(timeIntervalSince1970: Double(day) * 86_400))
            #expect(try WireDate(parsing: wire.text) == wire)
        }
    }

    @Test func theFirstAndTheLastMomentComeBack() throws {
        for text in [
            "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59", "0001-01-01T00:00:00",
            "1969-12-31T23:59:59.999999",
        ] {
            #expect(try WireDate(parsing: text).text == text)
        }
    }

    @Test func nowIsInUTC() throws {
        let before = Date()
        let now = WireDate.now()
        #expect(now.text.hasSuffix("+00:00"))
        #expect(now.offsetSeconds == 0)
        #expect(now.date.timeIntervalSince(before) > -0.001)
        #expect(now.date.timeIntervalSince(before) < 60)
    }

    @Test(arguments: [
        "", "2024-02-30", "2024-02-29T", "2024-02-29T24:01", "2024-02-29T10:11:12+24:00", "0000-01-01", "é",
        "2024-02-29é10",
    ])
    func refusesWhatIsNoDate(_ text: String) {
        #expect(throws: ProtocolError.self) { try WireDate(parsing: text) }
    }
}
