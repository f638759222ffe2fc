import CeleryProtocol

/// A value laid out as Python's `pprint` does: on one line where it fits into 80 columns, else an entry a line, maps sorted.
enum PythonLayout {
    private static let width = 80

    /// The text of a value.
    static func text(of value: JSONValue) -> String { text(of: prepared(value), column: 0, closing: 0) }

    /// - Parameters:
    ///   - column: where the value begins.
    ///   - closing: how many characters follow its end on the same line.
    private static func text(of value: JSONValue, column: Int, closing: Int) -> String {
        let line = PythonRepr.repr(value, maxLevels: 0, maxLength: .max)
        guard column + line.count + closing > width else { return line }
        switch value {
        case .object(let entries) where !entries.isEmpty:
            return lay(Array(entries), "{", "}", column, closing) { entry, column, closing in
                let key = "\(PythonRepr.repr(.string(entry.key), maxLevels: 0, maxLength: .max)): "
                return key + text(of: entry.value, column: column + key.count, closing: closing)
            }
        case .array(let elements) where !elements.isEmpty:
            return lay(elements, "[", "]", column, closing) { text(of: $0, column: $1, closing: $2) }
        default: return line
        }
    }

    private static func lay<Element>(
        _ elements: [Element],
        _ opening: String,
        _ end: String,
        _ column: Int,
        _ closing: Int,
        _ text: (Element, Int, Int) -> String
    ) -> String {
        let separator = ",\n" + String(repeating: " ", count: column + 1)
        let lines = elements.enumerated().map { index, element in
            text(element, column + 1, index == elements.count - 1 ? closing + 1 : 1)
        }
        return opening + lines.joined(separator: separator) + end
    }

    /// The value with the keys of its maps in order, and texts that steer no terminal.
    private static func prepared(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let entries):
            var object: JSONObject = [:]
            for key in entries.keys.sorted() { object[escaped(key)] = entries[key].map(prepared) }
            return .object(object)
        case .array(let elements): return .array(elements.map(prepared))
        case .string(let text): return .string(escaped(text))
        default: return value
        }
    }

    /// Control characters and backslashes as Python's `repr` shows them.
    private static func escaped(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": escaped.append(contentsOf: "\\n".unicodeScalars)
            case "\r": escaped.append(contentsOf: "\\r".unicodeScalars)
            case "\t": escaped.append(contentsOf: "\\t".unicodeScalars)
            case _ where scalar.properties.generalCategory == .control:
                let digits = String(scalar.value, radix: 16)
                escaped.append(contentsOf: "\\x\(digits.count < 2 ? "0" : "")\(digits)".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
