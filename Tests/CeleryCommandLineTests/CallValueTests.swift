import Celery
import FoundationEssentials
import Testing

@testable import CeleryCommandLine

@Suite struct CallValueTests {
    @Test func argumentsAreAJSONArray() throws {
        #expect(try JSONArgument.array(#"[1, 1.0, "é", null]"#) == [.int(1), .double(1), .string("é"), .null])
        #expect(try JSONArgument.object(#"{"x": true}"#) == ["x": .bool(true)])
    }

    @Test(arguments: ["", "{", "{}", "5", "[1,]", String(repeating: "[", count: 100_000)])
    func otherArgumentsAreRefused(text: String) {
        #expect(throws: OptionError.self) { try JSONArgument.array(text) }
    }

    @Test(arguments: ["", "[]", "null", #"{"a"}"#])
    func otherKeywordArgumentsAreRefused(text: String) {
        #expect(throws: OptionError.self) { try JSONArgument.object(text) }
    }

    @Test func spansAreSeconds() throws {
        #expect(try TimeArgument.seconds("2.5") == .milliseconds(2500))
        #expect(try TimeArgument.seconds("0") == .zero)
    }

    @Test(arguments: ["-1", "x", "", "nan", "inf", "1e300"])
    func badSpans(text: String) {
        #expect(throws: OptionError.self) { try TimeArgument.seconds(text) }
    }

    @Test func timesAreISO8601AndUTCWithoutAnOffset() throws {
        let expected = Date(timeIntervalSince1970: 1_700_000_000)
        #expect(try TimeArgument.date("2023-11-14T22:13:20").date == expected)
        #expect(try TimeArgument.date("2023-11-14T23:13:20+01:00").date == expected)
        #expect(try TimeArgument.date("2023-11-14T23:13:20+01:00").text == "2023-11-14T23:13:20+01:00")
    }

    @Test(arguments: ["tomorrow", "", "2023-13-01"])
    func badTimes(text: String) {
        #expect(throws: OptionError.self) { try TimeArgument.date(text) }
    }
}
