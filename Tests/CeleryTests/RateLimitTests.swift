import Celery
import Testing

@Suite("RateLimit")
struct RateLimitTests {
    @Test(
        "reads Celery's notation",
        arguments: [
            ("10", 10), ("10/s", 10), ("10/", 10), ("0.5/s", 0.5), ("100/m", 100.0 / 60), ("5/h", 5.0 / 3600), ("0", 0),
            ("0/m", 0), ("", 0), ("1e3/m", 1000.0 / 60), (" 6 /m", 0.1),
        ] as [(String, Double)]
    )
    func notation(text: String, tasksPerSecond: Double) throws {
        let limit = try RateLimit(text)
        #expect(abs(limit.tasksPerSecond - tasksPerSecond) < 1e-12)
        #expect(limit.isOff == (tasksPerSecond == 0))
        #expect(limit.description == text)
    }

    @Test("refuses what is no rate", arguments: ["ten", "10/d", "10/min", "/s", "-1", "-1/m", "nan", "inf/s", "1/s/s"])
    func invalid(text: String) {
        let error = #expect(throws: CeleryError.self) { try RateLimit(text) }
        #expect(error?.code == .invalidOption)
    }

    @Test("equal rates are equal however they are written")
    func equality() throws {
        #expect(try RateLimit("60/m") == .perSecond(1))
        #expect(try RateLimit("60/m").hashValue == RateLimit.perSecond(1).hashValue)
        #expect(try RateLimit("61/m") != .perSecond(1))
        #expect(try RateLimit("0") == .off)
        #expect(RateLimit.perSecond(2).description == "2/s")
        #expect(RateLimit.perSecond(0.5).description == "0.5/s")
    }
}
