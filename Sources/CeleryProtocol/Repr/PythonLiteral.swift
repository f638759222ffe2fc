/// The exact texts that Python's `repr` makes of values, as they stand in the texts of exceptions.
///
/// Unlike ``PythonRepr``, nothing is shortened, and strings are quoted and escaped by Python's rules.
enum PythonLiteral {
    static func text(of value: JSONValue) -> String {
        var output = ""
        write(value, to: &output)
        return output
    }

    private static func write(_ value: JSONValue, to output: inout String) {
        switch value {
        case .string(let text): write(text, to: &output)
        case .array(let elements):
            output += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { output += ", " }
                write(element, to: &output)
            }
            output += "]"
        case .object(let entries):
            output += "{"
            for (index, entry) in entries.enumerated() {
                if index > 0 { output += ", " }
                write(entry.key, to: &output)
                output += ": "
                write(entry.value, to: &output)
            }
            output += "}"
        case .null, .bool, .int, .bigInteger, .double, .datetime, .date, .time, .decimal, .uuid, .bytes:
            output += PythonRepr.repr(value, maxLevels: 0, maxLength: .max)
        }
    }

    /// Double quotes stand around what has single ones but no double ones.
    private static func write(_ text: String, to output: inout String) {
        let isDouble = text.utf8.contains(UInt8(ascii: "'")) && !text.utf8.contains(UInt8(ascii: "\""))
        let quote: Unicode.Scalar = isDouble ? "\"" : "'"
        output.unicodeScalars.append(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", quote:
                output += "\\"
                output.unicodeScalars.append(scalar)
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where isPrintable(scalar): output.unicodeScalars.append(scalar)
            default: output += escape(scalar)
            }
        }
        output.unicodeScalars.append(quote)
    }

    /// Python's `str.isprintable`.
    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned: return false
        case .lineSeparator, .paragraphSeparator, .spaceSeparator: return false
        default: return true
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let (prefix, width) =
            switch scalar.value {
            case ..<0x100: ("\\x", 2)
            case ..<0x10000: ("\\u", 4)
            default: ("\\U", 8)
            }
        let digits = String(scalar.value, radix: 16)
        return prefix + String(repeating: "0", count: width - digits.count) + digits
    }
}
