import OrderedCollections

extension PythonRepr {
    /// A value as Python's own `repr` shows it, as in texts of exceptions: all of it, with Python's quotes and escapes.
    ///
    /// ``repr(_:maxLevels:)`` is Celery's short form for logs, which quotes differently.
    static func exact(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): return exact(text)
        case .array(let elements): return "[\(elements.map(exact).joined(separator: ", "))]"
        case .object(let entries):
            let pairs = entries.map { "\(exact($0.key)): \(exact($0.value))" }
            return "{\(pairs.joined(separator: ", "))}"
        default: return repr(value)
        }
    }

    /// Text in single quotes, or in double ones where it has single quotes only.
    private static func exact(_ text: String) -> String {
        let quote: Unicode.Scalar =
            text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"") ? "\"" : "'"
        var result = String.UnicodeScalarView([quote])
        for scalar in text.unicodeScalars {
            switch scalar {
            case quote, "\\": result.append(contentsOf: ["\\", scalar])
            case "\n": result.append(contentsOf: ["\\", "n"])
            case "\r": result.append(contentsOf: ["\\", "r"])
            case "\t": result.append(contentsOf: ["\\", "t"])
            case " "..."~": result.append(scalar)
            default:
                if scalar.isPrintable { result.append(scalar) } else { result.append(contentsOf: escaped(scalar)) }
            }
        }
        result.append(quote)
        return String(result)
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String.UnicodeScalarView {
        let digits = String(scalar.value, radix: 16)
        let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        return ("\\" + letter + String(repeating: "0", count: width - digits.count) + digits).unicodeScalars
    }
}

extension Unicode.Scalar {
    /// Whether Python prints the scalar as it is (`str.isprintable`).
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            self == " "
        default: true
        }
    }
}
