public import FoundationEssentials

/// A date and time as Celery writes it: to the microsecond, naive or with an offset, Python's `datetime.datetime`.
///
/// Naive times mean UTC to Celery. Equality regards the offset: 12:00+00:00 and 13:00+01:00 are different values of the
/// same ``date``.
public struct WireDate: Sendable, Hashable {
    /// Microseconds since 1970 in UTC; of a naive time, as if it were UTC.
    private let instant: Int64
    /// The offset in microseconds, or ``naive``; a plain number keeps ``JSONValue`` small.
    private let rawOffset: Int64

    private static let naive = Int64.min
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    init(day: CalendarDay, time: ClockTime) {
        let local = Int64(day.number) * Self.microsecondsPerDay + time.microseconds
        instant = local - (time.offset?.microseconds ?? 0)
        rawOffset = time.offset?.microseconds ?? Self.naive
    }

    /// Makes the wire's form of a date, rounded to the microsecond.
    ///
    /// - Parameters:
    ///   - date: the instant. What lies outside the years 1 to 9999 becomes the first or last moment within.
    ///   - offsetSeconds: east of UTC, within a day; nil makes a naive time, which means UTC.
    public init(_ date: Date, offsetSeconds: Int? = 0) {
        let offset = offsetSeconds.map(UTCOffset.init(clamping:))?.microseconds
        let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
        // Comparing first keeps NaN and infinities away from the conversion, which would trap.
        let firstLocal = Int64(CalendarDay.numbers.lowerBound) * Self.microsecondsPerDay
        let lastLocal = Int64(CalendarDay.numbers.upperBound + 1) * Self.microsecondsPerDay - 1
        let first = firstLocal - (offset ?? 0)
        let last = lastLocal - (offset ?? 0)
        if microseconds >= Double(last) {
            instant = last
        } else if microseconds > Double(first) {
            instant = min(max(Int64(microseconds), first), last)
        } else {
            instant = first
        }
        rawOffset = offset ?? Self.naive
    }

    /// Reads a date and time in ISO 8601.
    ///
    /// Every form is accepted that dateutil's `isoparse` (which Celery reads `eta` and `expires` with) or Python's
    /// `datetime.fromisoformat` (which kombu reads values with) accepts: extended and basic format, week and ordinal
    /// dates, missing parts, any separator before the time, a point or comma before the fraction, `Z`, 24:00, and offsets
    /// with seconds. Digits behind the sixth of a fraction are cut off, as Python does.
    ///
    /// - Throws: ``ProtocolError`` with the code `.invalidDate`.
    public init(parsing text: String) throws(ProtocolError) {
        var parser = ISO8601Parser(text)
        self = try parser.parseDateTime()
    }

    /// The present moment in UTC, written with `+00:00`.
    public static func now() -> WireDate { WireDate(Date()) }

    /// The text of Python's `isoformat()`: `YYYY-MM-DDTHH:MM:SS[.ffffff][±HH:MM]`.
    public var text: String {
        var output: [UInt8] = []
        output.reserveCapacity(40)
        write(to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// The instant; a naive time is taken as UTC.
    ///
    /// Exact to the microsecond within some centuries around the present.
    public var date: Date { Date(timeIntervalSince1970: Double(instant) / 1_000_000) }

    /// The offset from UTC in seconds (a fraction cut off), east being positive; nil of a naive time.
    public var offsetSeconds: Int? { offset?.seconds }

    private var offset: UTCOffset? { UTCOffset(microseconds: rawOffset) }

    /// The day and the time that a clock at the offset shows.
    var local: (day: CalendarDay, time: ClockTime) {
        let offset = offset
        let local = instant + (offset?.microseconds ?? 0)
        let (quotient, remainder) = local.quotientAndRemainder(dividingBy: Self.microsecondsPerDay)
        let (day, time) = remainder < 0 ? (quotient - 1, remainder + Self.microsecondsPerDay) : (quotient, remainder)
        return (CalendarDay(number: Int(day)), ClockTime(microseconds: time, offset: offset))
    }

    /// Appends ``text``.
    func write(to output: inout [UInt8]) {
        let (day, time) = local
        day.write(to: &output)
        output.append(UInt8(ascii: "T"))
        time.write(to: &output)
    }
}

extension WireDate: CustomStringConvertible {
    /// The text in ISO 8601.
    public var description: String { text }
}
