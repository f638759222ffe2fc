/// Reads dates and times in the forms of ISO 8601 that Python's standard library or dateutil accept.
struct ISO8601Parser {
    private let text: [UInt8]
    private var index = 0

    init(_ text: String) {
        self.text = Array(text.utf8)
    }

    /// A date, alone or with a time behind any single separator.
    mutating func parseDateTime() throws(ProtocolError) -> WireDate {
        guard let day = parseDay() else { throw invalid("no calendar date") }
        guard !isAtEnd else { return WireDate(day: day, time: ClockTime(microseconds: 0, offset: nil)) }
        guard text[index] < 0x80 else { throw invalid("no separator before the time") }
        index += 1
        guard let time = parseClockTime(), isAtEnd else { throw invalid("no time of day") }
        let microsecondsPerDay: Int64 = 86_400_000_000
        guard time.microseconds >= microsecondsPerDay else { return WireDate(day: day, time: time) }
        guard time.microseconds == microsecondsPerDay, CalendarDay.numbers.contains(day.number + 1) else {
            throw invalid("an hour beyond 24:00")
        }
        let midnight = ClockTime(microseconds: 0, offset: time.offset)
        return WireDate(day: CalendarDay(number: day.number + 1), time: midnight)
    }

    /// A time of day alone, with or without a leading `T`.
    mutating func parseTime() throws(ProtocolError) -> ClockTime {
        _ = consume(UInt8(ascii: "T"))
        guard let time = parseClockTime(), isAtEnd, time.hour < 24 else { throw invalid("no time of day") }
        return time
    }

    // MARK: Date

    /// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, `YYYYMMDD`, or a week or ordinal date.
    private mutating func parseDay() -> CalendarDay? {
        guard let year = number(ofDigits: 4) else { return nil }
        guard !isAtEnd else { return CalendarDay(year: year, month: 1, day: 1) }
        let isExtended = consume(UInt8(ascii: "-"))
        if consume(UInt8(ascii: "W")) { return parseWeekDate(year: year, isExtended: isExtended) }
        let start = index
        if let month = number(ofDigits: 2) {
            if isExtended, isAtEnd { return CalendarDay(year: year, month: month, day: 1) }
            if !isExtended || consume(UInt8(ascii: "-")), let day = number(ofDigits: 2) {
                return CalendarDay(year: year, month: month, day: day)
            }
        }
        index = start
        guard let dayOfYear = number(ofDigits: 3) else { return nil }
        return CalendarDay(year: year, dayOfYear: dayOfYear)
    }

    /// The rest of `YYYY-Www[-D]` or `YYYYWww[D]`.
    private mutating func parseWeekDate(year: Int, isExtended: Bool) -> CalendarDay? {
        guard let week = number(ofDigits: 2) else { return nil }
        let start = index
        if !isExtended || consume(UInt8(ascii: "-")), let weekday = number(ofDigits: 1) {
            return CalendarDay(year: year, week: week, weekday: weekday)
        }
        index = start
        return CalendarDay(year: year, week: week, weekday: 1)
    }

    // MARK: Time

    /// A clock with an offset, an hour of 24 included.
    private mutating func parseClockTime() -> ClockTime? {
        guard let microseconds = parseClock() else { return nil }
        guard !isAtEnd else { return ClockTime(microseconds: microseconds, offset: nil) }
        guard let offset = parseOffset() else { return nil }
        return ClockTime(microseconds: microseconds, offset: offset)
    }

    /// `HH[:MM[:SS[.f…]]]` or `HH[MM[SS[.f…]]]` in microseconds.
    private mutating func parseClock() -> Int64? {
        guard let hour = number(ofDigits: 2), hour <= 24 else { return nil }
        var microseconds = Int64(hour) * 3_600_000_000
        let isExtended = consume(UInt8(ascii: ":"))
        guard isExtended || nextIsDigit else { return microseconds }
        guard let minute = number(ofDigits: 2), minute < 60 else { return nil }
        microseconds += Int64(minute) * 60_000_000
        guard isExtended ? consume(UInt8(ascii: ":")) : nextIsDigit else { return microseconds }
        guard let second = number(ofDigits: 2), second < 60 else { return nil }
        microseconds += Int64(second) * 1_000_000
        guard consume(UInt8(ascii: ".")) || consume(UInt8(ascii: ",")) else { return microseconds }
        guard let fraction = parseFraction() else { return nil }
        return microseconds + fraction
    }

    /// The digits of a fraction in microseconds; those behind the sixth are cut off.
    private mutating func parseFraction() -> Int64? {
        guard nextIsDigit else { return nil }
        var microseconds: Int64 = 0
        var unit: Int64 = 100_000
        while index < text.count, let digit = ASCII.decimalDigit(text[index]) {
            microseconds += Int64(digit) * unit
            unit /= 10
            index += 1
        }
        return microseconds
    }

    /// `Z` or a sign and a clock below 24 hours.
    private mutating func parseOffset() -> UTCOffset? {
        if consume(UInt8(ascii: "Z")) || consume(UInt8(ascii: "z")) { return .zero }
        let isWest = consume(UInt8(ascii: "-"))
        guard isWest || consume(UInt8(ascii: "+")), let magnitude = parseClock() else { return nil }
        return UTCOffset(microseconds: isWest ? -magnitude : magnitude)
    }

    // MARK: Characters

    private var isAtEnd: Bool { index == text.count }

    private var nextIsDigit: Bool { index < text.count && ASCII.decimalDigit(text[index]) != nil }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard index < text.count, text[index] == byte else { return false }
        index += 1
        return true
    }

    /// A number of exactly so many digits.
    private mutating func number(ofDigits count: Int) -> Int? {
        guard text.count - index >= count else { return nil }
        var number = 0
        for position in index..<(index + count) {
            guard let digit = ASCII.decimalDigit(text[position]) else { return nil }
            number = number * 10 + Int(digit)
        }
        index += count
        return number
    }

    private func invalid(_ rule: String) -> ProtocolError {
        ProtocolError(.invalidDate, "text that is not ISO 8601: \(rule) at byte \(index)")
    }
}
