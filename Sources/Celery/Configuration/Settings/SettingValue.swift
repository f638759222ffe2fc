internal import Configuration

/// The value of a setting as a file, a variable or an argument has it.
enum SettingValue: Sendable, Hashable {
    /// Python's `None`: no bound, or whatever the setting calls nothing.
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    /// Text, also that of a variable or an argument, which stands for a value of any type; JSON for lists and maps.
    case text(String)
    /// A list of texts.
    case list([String])
}

extension SettingValue {
    /// What text means that stands for nothing.
    static let nullText = "null"

    /// Looks a key up, as the type that its setting has, and then as any other.
    ///
    /// A reader answers nil for a value of another type, too; it is looked for so that it is not taken for absent.
    init?(_ reader: ConfigReader, key: ConfigKey, shape: SettingShape, isSecret: Bool) {
        for kind in shape.lookups {
            if let value = Self.value(reader, key, kind, isSecret) {
                self = value
                return
            }
        }
        return nil
    }

    private static func value(
        _ reader: ConfigReader,
        _ key: ConfigKey,
        _ kind: SettingShape.Lookup,
        _ isSecret: Bool
    ) -> SettingValue? {
        switch kind {
        case .flag: reader.bool(forKey: key, isSecret: isSecret).map { .flag($0) }
        case .integer: reader.int(forKey: key, isSecret: isSecret).map { .integer($0) }
        case .number: reader.double(forKey: key, isSecret: isSecret).map { .number($0) }
        case .text: reader.string(forKey: key, isSecret: isSecret).map { $0 == nullText ? .null : .text($0) }
        case .list: reader.stringArray(forKey: key, isSecret: isSecret).map { .list($0) }
        }
    }
}
