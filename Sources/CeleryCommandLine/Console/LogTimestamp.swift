#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes points in time as Python's `logging` shows them: local time, `2026-01-31 13:05:09,042`.
///
/// Date and time of day are worked out once a second only.
struct LogTimestamp: Sendable {
    private var second: Int?
    private var text: [UInt8] = []

    init() {}

    /// The present, in seconds since 1970 and milliseconds.
    static func now() -> (seconds: Int, milliseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec / 1_000_000)
    }

    /// Appends the point in time to a line.
    mutating func append(_ time: (seconds: Int, milliseconds: Int), to line: inout [UInt8]) {
        if second != time.seconds {
            second = time.seconds
            text = Self.wholeSeconds(time.seconds)
        }
        line.append(contentsOf: text)
        line.append(UInt8(ascii: ","))
        Self.append(time.milliseconds, digits: 3, to: &line)
    }

    private static func wholeSeconds(_ seconds: Int) -> [UInt8] {
        var seconds = time_t(seconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var text: [UInt8] = []
        text.reserveCapacity(19)
        append(Int(parts.tm_year) + 1900, digits: 4, to: &text)
        for (separator, number) in [
            ("-", parts.tm_mon + 1), ("-", parts.tm_mday), (" ", parts.tm_hour), (":", parts.tm_min),
            (":", parts.tm_sec),
        ] {
            text.append(contentsOf: separator.utf8)
            append(Int(number), digits: 2, to: &text)
        }
        return text
    }

    private static func append(_ number: Int, digits: Int, to text: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}
