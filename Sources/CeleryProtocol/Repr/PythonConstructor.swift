import FoundationEssentials

/// The `repr` of Python's objects beyond JSON: the call that would make them again.
enum PythonConstructor {
    /// The text of an extended value; of other values an empty one.
    static func text(of value: JSONValue) -> String {
        switch value {
        case .datetime(let date): datetime(date)
        case .date(let text): date(text)
        case .time(let text): time(text)
        case .decimal(let text): "Decimal('\(text)')"
        case .uuid(let uuid): self.uuid(uuid)
        default: ""
        }
    }

    private static func datetime(_ date: WireDate) -> String {
        let (day, time) = date.local
        var parts = [day.year, day.month, day.day, time.hour, time.minute].map { String($0) }
        parts += seconds(of: time)
        parts += zone(time.offset)
        return "datetime.datetime(\(parts.joined(separator: ", ")))"
    }

    /// Text that is no date can only come from code of this process; it is shown as it is.
    private static func date(_ text: String) -> String {
        guard let day = try? WireDate(parsing: text).local.day else { return "datetime.date('\(text)')" }
        return "datetime.date(\(day.year), \(day.month), \(day.day))"
    }

    private static func time(_ text: String) -> String {
        var parser = ISO8601Parser(text)
        guard let time = try? parser.parseTime() else { return "datetime.time('\(text)')" }
        let parts = [String(time.hour), String(time.minute)] + seconds(of: time) + zone(time.offset)
        return "datetime.time(\(parts.joined(separator: ", ")))"
    }

    private static func uuid(_ uuid: UUID) -> String {
        var output: [UInt8] = Array("UUID('".utf8)
        uuid.writeHexadecimal(dashes: true, to: &output)
        output += "')".utf8
        return String(decoding: output, as: UTF8.self)
    }

    /// Seconds and microseconds, left out from the right where they are zero.
    private static func seconds(of time: ClockTime) -> [String] {
        if time.microsecond != 0 { return [String(time.second), String(time.microsecond)] }
        return time.second != 0 ? [String(time.second)] : []
    }

    private static func zone(_ offset: UTCOffset?) -> [String] {
        guard let offset else { return [] }
        guard offset != .zero else { return ["tzinfo=datetime.timezone.utc"] }
        // A timedelta is normalised so that only its days may be negative.
        let microsecondsPerDay: Int64 = 86_400_000_000
        let positive = offset.microseconds < 0 ? offset.microseconds + microsecondsPerDay : offset.microseconds
        var parts: [String] = offset.microseconds < 0 ? ["days=-1"] : []
        if positive >= 1_000_000 { parts.append("seconds=\(positive / 1_000_000)") }
        if positive % 1_000_000 != 0 { parts.append("microseconds=\(positive % 1_000_000)") }
        return ["tzinfo=datetime.timezone(datetime.timedelta(\(parts.joined(separator: ", "))))"]
    }
}
