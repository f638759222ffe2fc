/// A time of day to the microsecond, with or without an offset: Python's `datetime.time`.
struct ClockTime: Sendable, Hashable {
    /// Since midnight.
    let microseconds: Int64
    let offset: UTCOffset?

    init(microseconds: Int64, offset: UTCOffset?) {
        self.microseconds = microseconds
        self.offset = offset
    }

    var hour: Int { Int(microseconds / 3_600_000_000) }
    var minute: Int { Int(microseconds / 60_000_000 % 60) }
    var second: Int { Int(microseconds / 1_000_000 % 60) }
    var microsecond: Int { Int(microseconds % 1_000_000) }

    /// Appends `HH:MM:SS[.ffffff][±HH:MM[:SS[.ffffff]]]` as Python's `isoformat` does.
    func write(to output: inout [UInt8]) {
        ASCII.append(hour, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        ASCII.append(minute, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        ASCII.append(second, digits: 2, to: &output)
        if microsecond != 0 {
            output.append(UInt8(ascii: "."))
            ASCII.append(microsecond, digits: 6, to: &output)
        }
        offset?.write(to: &output)
    }

    var text: String {
        var output: [UInt8] = []
        write(to: &output)
        return String(decoding: output, as: UTF8.self)
    }
}
