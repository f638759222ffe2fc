#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The machine's time zone.
enum LocalTime {
    /// Hours that local time is west of UTC now, as Celery's events count: -2.0 for UTC+2.
    static var hoursWest: Double {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        let seconds = -Double(parts.tm_gmtoff)
        // Not the negative zero.
        return seconds == 0 ? 0 : seconds / 3600
    }
}
