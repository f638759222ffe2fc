/// Why the value of a setting cannot be used: what it has to be, and never the value itself.
struct SettingError: Error {
    /// The words behind the setting's name.
    let complaint: String

    init(_ complaint: String) {
        self.complaint = complaint
    }

    /// The value has another type or form.
    static func expected(_ expectation: String) -> SettingError {
        SettingError("has to be \(expectation)")
    }
}
