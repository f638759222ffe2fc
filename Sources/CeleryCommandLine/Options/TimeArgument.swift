import Celery

/// Reads the points in time and spans of the `call` command.
enum TimeArgument {
    /// Longest span that is taken, in seconds: about 31 years.
    private static let limit = 1e9

    /// Reads a span in seconds, with a fraction where wanted; not negative.
    static func seconds(_ text: String) throws -> Duration {
        guard let seconds = Double(text), (0...limit).contains(seconds) else {
            throw OptionError("must be a number of seconds from 0 to 1000000000, got '\(text)'")
        }
        return .microseconds(Int64((seconds * 1e6).rounded()))
    }

    /// Reads a time limit: seconds, more than zero.
    static func limit(_ text: String) throws -> Duration {
        let limit = try seconds(text)
        guard limit > .zero else { throw OptionError("must be more than 0, got '\(text)'") }
        return limit
    }

    /// Reads a date and time in ISO 8601; without an offset it is taken as UTC, as Celery's default time zone is.
    ///
    /// The value keeps the offset that was given, so that the message has it too.
    static func date(_ text: String) throws -> WireDate {
        do {
            return try WireDate(parsing: text)
        } catch {
            throw OptionError("must be a date and time in ISO 8601, such as 2026-01-31T13:05:09+00:00, got '\(text)'")
        }
    }

    /// Reads an expiry: seconds from the sending, or a point in time.
    static func expiry(_ text: String) throws -> Expiry {
        Double(text) == nil ? Expiry(.at(try date(text))) : .after(try seconds(text))
    }
}
