public import Configuration

extension CeleryConfiguration {
    /// Makes a configuration of Celery's defaults and of what a reader of swift-configuration has.
    ///
    /// The keys are Celery's names of the settings, `task_acks_late`, durations are numbers of seconds. Maps and lists
    /// (`task_queues`, `task_routes`) are JSON in a text; the text `null` stands for `None`. A reader that is scoped to
    /// `celery` finds them as `CELERY_TASK_ACKS_LATE` among the environment's variables.
    ///
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for a value that cannot be read, naming the setting and not the
    ///   value.
    public init(config reader: ConfigReader) throws(CeleryError) {
        self.init()
        try apply(reader)
    }

    /// Takes over what a reader has, and leaves all other settings as they are.
    ///
    /// - Throws: the same as ``init(config:)``.
    public mutating func apply(_ reader: ConfigReader) throws(CeleryError) {
        for setting in Setting.all {
            let key = ConfigKey([setting.key])
            guard let value = SettingValue(reader, key: key, shape: setting.shape, isSecret: setting.isSecret) else {
                continue
            }
            do throws(SettingError) {
                try setting.apply(value, to: &self)
            } catch {
                throw CeleryError(.invalidConfiguration, "\(setting.key) \(error.complaint)")
            }
        }
    }

    /// The names of all settings, in the order of this type's properties.
    public static var settingNames: [String] { Setting.all.map(\.key) }

    /// The settings that differ from their defaults, as text; of secrets, maps and lists of maps only that they are set.
    package var changedSettings: [(name: String, value: String)] {
        let defaults = CeleryConfiguration()
        return Setting.all.compactMap { setting in
            let text = setting.text(in: self)
            guard text != setting.text(in: defaults) else { return nil }
            return (setting.key, setting.isSecret || setting.shape == .structure ? "(set)" : text)
        }
    }

    /// A reader of Celery's sources: given values first, then variables, then a file.
    ///
    /// - Parameters:
    ///   - values: settings by their names, as text.
    ///   - environment: the process's variables, of which those count that are called `CELERY_` and a setting's name in upper
    ///     case; empty ones count as absent.
    ///   - file: the path of a ``SettingsFile``.
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for a file that cannot be read, and for names of `values` that are no
    ///   settings.
    public static func reader(
        values: [String: String] = [:],
        environment: [String: String] = [:],
        file: String? = nil
    ) throws(CeleryError) -> ConfigReader {
        var given: [AbsoluteConfigKey: ConfigValue] = [:]
        for (key, value) in values {
            guard let setting = Setting.byKey[key] else {
                throw CeleryError(.invalidConfiguration, Setting.unknown(key))
            }
            given[AbsoluteConfigKey([key])] = ConfigValue(.string(value), isSecret: setting.isSecret)
        }
        let variables = EnvironmentVariablesProvider(
            environmentVariables: environment.filter { !$0.value.isEmpty },
            secretsSpecifier: .all
        )
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "arguments", values: given),
            variables.prefixKeys(with: "celery"),
        ]
        if let file { providers.append(try SettingsFile.provider(path: file)) }
        return ConfigReader(providers: providers)
    }
}
