import CeleryProtocol
import FoundationEssentials

/// Dates, times and kombu's other types in the form of text.
enum WireDateFuzz {
    static func run(_ input: [UInt8]) {
        guard let text = String(validating: input, as: UTF8.self) else { return }
        checkDate(text)
        for type in ["datetime", "date", "time", "decimal", "uuid", "bytes", "base64"] { checkExtended(type, text) }
    }

    private static func checkDate(_ text: String) {
        do throws(ProtocolError) {
            let date = try WireDate(parsing: text)
            checkStable(date)
            // Far from the present a `Date` is not exact to the microsecond, and its text still has to be readable.
            checkStable(WireDate(date.date, offsetSeconds: date.offsetSeconds))
            require(date.offsetSeconds.map { abs($0) < 86_400 } ?? true, "an offset is less than a day")
        } catch {
            require(error.code == .invalidDate, "text that is no date is told to be that")
            Canary.check(error)
        }
    }

    private static func checkStable(_ date: WireDate) {
        do throws(ProtocolError) {
            require(try WireDate(parsing: date.text) == date, "a date's text is the date: \(date.text)")
        } catch {
            fatalError("broken rule: a date's text is read: \(error)")
        }
    }

    private static func checkExtended(_ type: String, _ text: String) {
        let envelope: JSONValue = ["__type__": .string(type), "__value__": .string(text)]
        do throws(ProtocolError) {
            JSONFuzz.checkRoundTrip(try JSONValue(parsing: JSONFuzz.write(envelope)))
        } catch {
            require([.invalidDate, .invalidExtendedValue].contains(error.code), "the value is told to be invalid")
            Canary.check(error)
        }
    }
}
