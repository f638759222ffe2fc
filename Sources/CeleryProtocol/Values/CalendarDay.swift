/// A day of the Gregorian calendar in the years 1 to 9999, Python's `datetime.date`.
struct CalendarDay: Sendable, Hashable {
    /// The day's number; 1970-01-01 is 0.
    let number: Int
    let year: Int
    let month: Int
    let day: Int

    /// The first and the last day that Python knows, as numbers: 0001-01-01 and 9999-12-31.
    static let numbers = -719_162...2_932_896

    /// The day of a date, if the calendar has it.
    init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month),
            day >= 1, day <= Self.daysInMonth(month, ofYear: year)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        // Years begin in March here, so that the leap day is the last one; 400 years are an era of 146097 days.
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        self.number = era * 146_097 + dayOfEra - 719_468
    }

    /// The day of a number; numbers outside ``numbers`` give the nearest day within.
    init(number: Int) {
        let number = min(max(number, Self.numbers.lowerBound), Self.numbers.upperBound)
        self.number = number
        let shifted = number + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// The day of an ISO week date; weekday 1 is Monday.
    ///
    /// Week 53 of a year with 52 is the next year's first, as in dateutil.
    init?(year: Int, week: Int, weekday: Int) {
        guard (1...53).contains(week), (1...7).contains(weekday),
            let fourth = CalendarDay(year: year, month: 1, day: 4)
        else { return nil }
        // The calendar begins with a Monday, and the fourth of January is always in week 1.
        let daysSinceMonday = (fourth.number - Self.numbers.lowerBound) % 7
        self.init(exactly: fourth.number - daysSinceMonday + (week - 1) * 7 + weekday - 1)
    }

    /// The day of a year and the number of the day within it, from 1.
    init?(year: Int, dayOfYear: Int) {
        guard let first = CalendarDay(year: year, month: 1, day: 1),
            dayOfYear >= 1, dayOfYear <= (Self.isLeap(year) ? 366 : 365)
        else { return nil }
        self.init(exactly: first.number + dayOfYear - 1)
    }

    private init?(exactly number: Int) {
        guard Self.numbers.contains(number) else { return nil }
        self.init(number: number)
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysInMonth(_ month: Int, ofYear year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Appends `YYYY-MM-DD`.
    func write(to output: inout [UInt8]) {
        ASCII.append(year, digits: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        ASCII.append(month, digits: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        ASCII.append(day, digits: 2, to: &output)
    }

    var text: String {
        var output: [UInt8] = []
        write(to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
