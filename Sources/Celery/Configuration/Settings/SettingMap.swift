internal import AMQP

/// A map in a setting's value, of which every key has to be known.
struct SettingMap {
    private var entries: JSONObject
    /// What the map belongs to, for complaints.
    private let place: String

    init(_ value: JSONValue, place: String = "") throws(SettingError) {
        guard let entries = value.objectValue else { throw .expected("a map") }
        self.entries = entries
        self.place = place.isEmpty ? "" : " of '\(place)'"
    }

    /// Takes the value of a key out of the map; null counts as a value.
    mutating func take(_ key: String) -> JSONValue? { entries.removeValue(forKey: key) }

    /// Takes a value that may be null out of the map.
    private mutating func value(_ key: String) -> JSONValue? {
        take(key).flatMap { $0.isNull ? nil : $0 }
    }

    mutating func text(_ key: String) throws(SettingError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.stringValue else { throw complaint(key, "text") }
        return text
    }

    mutating func flag(_ key: String) throws(SettingError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.boolValue else { throw complaint(key, "true or false") }
        return flag
    }

    mutating func integer(_ key: String) throws(SettingError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.intValue else { throw complaint(key, "a whole number") }
        return number
    }

    mutating func seconds(_ key: String) throws(SettingError) -> Duration? {
        guard let value = value(key) else { return nil }
        guard let number = value.doubleValue, (0...1e9).contains(number) else {
            throw complaint(key, "a number of seconds")
        }
        return .microseconds(Int64((number * 1e6).rounded()))
    }

    mutating func table(_ key: String) throws(SettingError) -> FieldTable? {
        guard let value = value(key) else { return nil }
        guard let map = value.objectValue, let table = try? FieldTable(json: map) else {
            throw complaint(key, "a map")
        }
        return table
    }

    /// A value that is taken already: a whole number, or nil for null.
    func optionalInteger(_ value: JSONValue) throws(SettingError) -> Int? {
        guard !value.isNull else { return nil }
        guard let number = value.intValue else { throw .expected("a map of numbers") }
        return number
    }

    /// Complains about what is left in the map.
    func finish() throws(SettingError) {
        guard let key = entries.keys.first else { return }
        throw SettingError("has an unknown key '\(key)'\(place)")
    }

    private func complaint(_ key: String, _ expectation: String) -> SettingError {
        SettingError("has a '\(key)'\(place) that is not \(expectation)")
    }
}
