import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Points in time as texts.
enum ClockText {
    /// Seconds since 1970 that a calendar can show: years 1 to 9999.
    private static let shown = -62_135_596_800.0...253_402_300_799.0

    /// UTC as Python's `str(datetime)` has it: `2026-01-31 13:05:09.042000+00:00`, without a fraction of zero.
    static func python(_ time: Double) -> String {
        guard let (seconds, microseconds) = parts(time) else { return "\(time)" }
        let fraction = microseconds == 0 ? "" : "." + number(microseconds, 6)
        return "\(dateAndTime(gmtime(seconds)))\(fraction)+00:00"
    }

    /// Local time: `2026-01-31 13:05:09`.
    static func dateAndTime(_ time: Double) -> String {
        parts(time).map { dateAndTime(local($0.seconds)) } ?? ""
    }

    /// Local time of day: `13:05:09`.
    static func time(_ time: Double) -> String {
        parts(time).map { timeOfDay(local($0.seconds)) } ?? ""
    }

    /// Whole seconds and microseconds, rounded half to even as Python does.
    private static func parts(_ time: Double) -> (seconds: Int, microseconds: Int)? {
        guard shown.contains(time) else { return nil }
        let whole = time.rounded(.down)
        let micro = Int(((time - whole) * 1e6).rounded(.toNearestOrEven))
        return micro == 1_000_000 ? (Int(whole) + 1, 0) : (Int(whole), micro)
    }

    private static func gmtime(_ seconds: Int) -> tm {
        var (seconds, parts) = (time_t(seconds), tm())
        gmtime_r(&seconds, &parts)
        return parts
    }

    private static func local(_ seconds: Int) -> tm {
        var (seconds, parts) = (time_t(seconds), tm())
        localtime_r(&seconds, &parts)
        return parts
    }

    private static func dateAndTime(_ parts: tm) -> String {
        let year = number(Int(parts.tm_year) + 1900, 4)
        return "\(year)-\(number(Int(parts.tm_mon) + 1, 2))-\(number(Int(parts.tm_mday), 2)) \(timeOfDay(parts))"
    }

    private static func timeOfDay(_ parts: tm) -> String {
        "\(number(Int(parts.tm_hour), 2)):\(number(Int(parts.tm_min), 2)):\(number(Int(parts.tm_sec), 2))"
    }

    private static func number(_ number: Int, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
