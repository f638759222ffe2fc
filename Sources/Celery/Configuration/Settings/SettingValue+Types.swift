extension SettingValue {
    /// Longest duration of a setting, in seconds: about 300 years.
    private static let longest = 1e10

    /// The truth value; of text as Celery's command line reads it.
    var asFlag: Bool {
        get throws(SettingError) {
            switch self {
            case .flag(let flag): return flag
            case .integer(0): return false
            case .integer(1): return true
            case .text(let text):
                switch text.lowercased() {
                case "true", "yes", "on", "1": return true
                case "false", "no", "off", "0": return false
                default: throw .expected(SettingShape.flag.expectation)
                }
            default: throw .expected(SettingShape.flag.expectation)
            }
        }
    }

    /// The whole number.
    var asInteger: Int {
        get throws(SettingError) {
            switch self {
            case .integer(let number): return number
            case .number(let number):
                guard let whole = Int(exactly: number) else { throw .expected(SettingShape.integer.expectation) }
                return whole
            case .text(let text):
                guard let number = Int(text) else { throw .expected(SettingShape.integer.expectation) }
                return number
            default: throw .expected(SettingShape.integer.expectation)
            }
        }
    }

    /// The whole number from 0 to 255.
    var asByte: UInt8 {
        get throws(SettingError) {
            guard let byte = UInt8(exactly: try asInteger) else { throw .expected("a number from 0 to 255") }
            return byte
        }
    }

    /// The duration.
    var asSeconds: Duration {
        get throws(SettingError) {
            let seconds: Double? =
                switch self {
                case .integer(let number): Double(number)
                case .number(let number): number
                case .text(let text): Double(text)
                default: nil
                }
            guard let seconds, seconds.magnitude <= Self.longest else {
                throw .expected(SettingShape.seconds.expectation)
            }
            return .microseconds(Int64((seconds * 1e6).rounded()))
        }
    }

    /// The text.
    var asText: String {
        get throws(SettingError) {
            guard case .text(let text) = self else { throw .expected(SettingShape.text.expectation) }
            return text
        }
    }

    /// The names; of text those between its commas, or those of a JSON list.
    var asList: [String] {
        get throws(SettingError) {
            switch self {
            case .list(let names): return names
            case .text(let text) where text.hasPrefix("["):
                let elements = try asStructure.arrayValue ?? []
                let names = elements.compactMap(\.stringValue)
                guard names.count == elements.count else { throw .expected(SettingShape.list.expectation) }
                return names
            case .text(let text):
                return text.split(separator: ",").map { name in
                    String(name.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
                }
            default: throw .expected(SettingShape.list.expectation)
            }
        }
    }

    /// The map or list.
    var asStructure: JSONValue {
        get throws(SettingError) {
            switch self {
            case .flag(let flag): return .bool(flag)
            case .integer(let number): return .int(number)
            case .number(let number): return .double(number)
            case .list(let names): return .array(names.map { .string($0) })
            case .text(let text):
                do {
                    return try JSONValue(parsing: Array(text.utf8))
                } catch {
                    throw .expected(SettingShape.structure.expectation)
                }
            case .null: return .null
            }
        }
    }
}

// Typed throws do not pass through key paths, so that the readers are functions.
extension SettingValue {
    static func flagValue(_ value: SettingValue) throws(SettingError) -> Bool { try value.asFlag }
    static func integerValue(_ value: SettingValue) throws(SettingError) -> Int { try value.asInteger }
    static func byteValue(_ value: SettingValue) throws(SettingError) -> UInt8 { try value.asByte }
    static func secondsValue(_ value: SettingValue) throws(SettingError) -> Duration { try value.asSeconds }
    static func textValue(_ value: SettingValue) throws(SettingError) -> String { try value.asText }
}
