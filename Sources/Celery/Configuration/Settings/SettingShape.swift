/// What the values of a setting look like.
enum SettingShape: Sendable, Hashable {
    case flag
    case integer
    /// Seconds, with a fraction where wanted.
    case seconds
    case text
    /// Names.
    case list
    /// A map, or a list of maps; as JSON text where only text is possible.
    case structure

    /// A type that a reader can be asked for.
    enum Lookup: Sendable, Hashable {
        case flag
        case integer
        case number
        case text
        case list
    }

    /// The types to ask for, the setting's own first.
    ///
    /// A list is asked for last, since a reader of variables takes every text for one.
    var lookups: [Lookup] {
        switch self {
        case .flag: [.flag, .text, .integer, .number, .list]
        case .integer: [.integer, .text, .number, .flag, .list]
        case .seconds: [.number, .integer, .text, .flag, .list]
        case .text, .list, .structure: [.text, .integer, .number, .flag, .list]
        }
    }

    /// What to say that a value has to be.
    var expectation: String {
        switch self {
        case .flag: "true or false"
        case .integer: "a whole number"
        case .seconds: "a number of seconds"
        case .text: "text"
        case .list: "a list of names"
        case .structure: "a map or a list, as JSON"
        }
    }
}
