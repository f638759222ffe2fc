import Celery

/// JSON for people: indented, with sorted keys, as Python's `json.dumps(sort_keys=True, indent=4)` writes it.
enum JSONText {
    static func pretty(_ value: JSONValue, indentation: Int = 0) -> String {
        let inner = String(repeating: " ", count: indentation + 4)
        let outer = String(repeating: " ", count: indentation)
        switch value {
        case .array(let elements) where !elements.isEmpty:
            let lines = elements.map { inner + pretty($0, indentation: indentation + 4) }
            return "[\n\(lines.joined(separator: ",\n"))\n\(outer)]"
        case .object(let entries) where !entries.isEmpty:
            let sorted = entries.elements.sorted {
                $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
            }
            let lines = sorted.map { key, value in
                "\(inner)\(line(.string(key))): \(pretty(value, indentation: indentation + 4))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(outer)}"
        default:
            return line(value)
        }
    }

    /// The value on one line, as kombu writes it.
    static func line(_ value: JSONValue) -> String {
        String(decoding: value.serialized(), as: UTF8.self)
    }
}
