/// One setting: its name, and how a value gets into the configuration.
struct Setting: Sendable {
    /// Celery's name, or one like it for a setting that Celery does not have.
    let key: String
    /// What its values look like.
    let shape: SettingShape
    /// Whether nothing is a value of its own: no bound, or the default of something else.
    let isOptional: Bool
    /// Whether the value must not be shown.
    let isSecret: Bool
    private let put: @Sendable (SettingValue, inout CeleryConfiguration) throws(SettingError) -> Void
    private let show: @Sendable (CeleryConfiguration) -> String

    /// Puts a value into the configuration.
    ///
    /// Null leaves a setting alone that is not optional, as `None` is Celery's word for the default.
    func apply(_ value: SettingValue, to configuration: inout CeleryConfiguration) throws(SettingError) {
        guard isOptional || value != .null else { return }
        try put(value, &configuration)
    }

    /// The setting's value as text, which may be a secret.
    func text(in configuration: CeleryConfiguration) -> String { show(configuration) }
}

extension Setting {
    /// The property of one setting.
    typealias Property<Value> = WritableKeyPath<CeleryConfiguration, Value> & Sendable

    /// A setting whose values one function reads.
    init<Value>(
        _ key: String,
        _ property: any Property<Value>,
        _ shape: SettingShape,
        isSecret: Bool = false,
        read: @escaping @Sendable (SettingValue) throws(SettingError) -> Value
    ) {
        self.key = key
        self.shape = shape
        self.isSecret = isSecret
        isOptional = false
        put = { value, configuration throws(SettingError) in configuration[keyPath: property] = try read(value) }
        show = { String(describing: $0[keyPath: property]) }
    }

    /// A setting whose values one function reads, and that nil is a value of.
    init<Value>(
        _ key: String,
        optional property: any Property<Value?>,
        _ shape: SettingShape,
        isSecret: Bool = false,
        read: @escaping @Sendable (SettingValue) throws(SettingError) -> Value
    ) {
        self.key = key
        self.shape = shape
        self.isSecret = isSecret
        isOptional = true
        put = { value, configuration throws(SettingError) in
            configuration[keyPath: property] = value == .null ? nil : try read(value)
        }
        show = { configuration in configuration[keyPath: property].map { "\($0)" } ?? "null" }
    }

    static func flag(_ key: String, _ property: any Property<Bool>) -> Setting {
        Setting(key, property, .flag, read: SettingValue.flagValue)
    }

    static func flag(_ key: String, optional property: any Property<Bool?>) -> Setting {
        Setting(key, optional: property, .flag, read: SettingValue.flagValue)
    }

    static func integer(_ key: String, _ property: any Property<Int>) -> Setting {
        Setting(key, property, .integer, read: SettingValue.integerValue)
    }

    static func integer(_ key: String, optional property: any Property<Int?>) -> Setting {
        Setting(key, optional: property, .integer, read: SettingValue.integerValue)
    }

    static func byte(_ key: String, optional property: any Property<UInt8?>) -> Setting {
        Setting(key, optional: property, .integer, read: SettingValue.byteValue)
    }

    static func seconds(_ key: String, _ property: any Property<Duration>) -> Setting {
        Setting(key, property, .seconds, read: SettingValue.secondsValue)
    }

    static func seconds(_ key: String, optional property: any Property<Duration?>) -> Setting {
        Setting(key, optional: property, .seconds, read: SettingValue.secondsValue)
    }

    static func text(_ key: String, _ property: any Property<String>, isSecret: Bool = false) -> Setting {
        Setting(key, property, .text, isSecret: isSecret, read: SettingValue.textValue)
    }

    static func text(_ key: String, optional property: any Property<String?>, isSecret: Bool = false) -> Setting {
        Setting(key, optional: property, .text, isSecret: isSecret, read: SettingValue.textValue)
    }

    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String,
        _ property: any Property<Value>
    ) -> Setting {
        Setting(key, property, .text) { value throws(SettingError) in
            let text = try value.asText
            guard let choice = Value.allCases.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
                throw .expected(Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or "))
            }
            return choice
        }
    }
}
