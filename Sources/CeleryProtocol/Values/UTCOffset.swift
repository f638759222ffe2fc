/// The distance of a clock from UTC, less than a day, to the microsecond: Python's `datetime.timezone`.
struct UTCOffset: Sendable, Hashable {
    /// East of UTC is positive.
    let microseconds: Int64

    static let zero = UTCOffset(clamping: 0)

    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// An offset strictly within a day in either direction.
    init?(microseconds: Int64) {
        guard microseconds.magnitude < Self.microsecondsPerDay.magnitude else { return nil }
        self.microseconds = microseconds
    }

    /// The nearest offset of whole seconds.
    init(clamping seconds: Int) {
        microseconds = Int64(min(max(seconds, -86_399), 86_399)) * 1_000_000
    }

    /// The offset in seconds, a fraction cut off.
    var seconds: Int { Int(microseconds / 1_000_000) }

    /// Appends `±HH:MM[:SS[.ffffff]]` as Python's `isoformat` does.
    func write(to output: inout [UInt8]) {
        output.append(microseconds < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        let magnitude = Int(microseconds.magnitude)
        ASCII.append(magnitude / 3_600_000_000, digits: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        ASCII.append(magnitude / 60_000_000 % 60, digits: 2, to: &output)
        guard magnitude % 60_000_000 != 0 else { return }
        output.append(UInt8(ascii: ":"))
        ASCII.append(magnitude / 1_000_000 % 60, digits: 2, to: &output)
        guard magnitude % 1_000_000 != 0 else { return }
        output.append(UInt8(ascii: "."))
        ASCII.append(magnitude % 1_000_000, digits: 6, to: &output)
    }
}
