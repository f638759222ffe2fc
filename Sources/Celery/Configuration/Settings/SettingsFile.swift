public import Configuration
internal import FoundationEssentials

/// A file of settings: one JSON map of Celery's setting names to their values.
///
/// ```json
/// {"task_acks_late": true, "broker_heartbeat": 30, "task_routes": {"images.*": "images"}}
/// ```
/// Durations are numbers of seconds. Every key has to be known, and every value of its setting's type. With the package's
/// trait `YAML` a file whose name ends in `.yaml` or `.yml` is read as YAML.
public enum SettingsFile {
    /// Reads a file for a `ConfigReader`; its keys are the settings' names, without a prefix.
    ///
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for a file that cannot be read, for settings that do not exist, and
    ///   for values of a wrong type. The message shows no value.
    public static func provider(path: String) throws(CeleryError) -> InMemoryProvider {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw CeleryError(.invalidConfiguration, "the file of settings '\(path)' cannot be read")
        }
        guard path.hasSuffix(".yaml") || path.hasSuffix(".yml") else { return try provider(json: bytes, name: path) }
        #if YAML
        return try provider(parse(yaml: bytes, name: path), name: path)
        #else
        throw CeleryError(.invalidConfiguration, "'\(path)' is YAML, which needs the package's trait YAML; use JSON")
        #endif
    }

    /// Reads the text of such a file; the name is for complaints.
    package static func provider(json bytes: [UInt8], name: String) throws(CeleryError) -> InMemoryProvider {
        let content: JSONValue
        do {
            content = try JSONValue(parsing: bytes)
        } catch {
            throw CeleryError(.invalidConfiguration, "'\(name)' is not JSON", underlying: error)
        }
        return try provider(content, name: name)
    }

    static func provider(_ content: JSONValue, name: String) throws(CeleryError) -> InMemoryProvider {
        guard let settings = content.objectValue else {
            throw CeleryError(.invalidConfiguration, "'\(name)' is not a map of settings")
        }
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        var complaints: [String] = []
        for (key, value) in settings {
            do throws(SettingError) {
                guard let found = try self.value(of: key, value) else { continue }
                values[AbsoluteConfigKey([key])] = found
            } catch {
                complaints.append(error.complaint)
            }
        }
        guard complaints.isEmpty else {
            throw CeleryError(.invalidConfiguration, "'\(name)': " + complaints.joined(separator: "; "))
        }
        return InMemoryProvider(name: name, values: values)
    }

    /// The value for a reader; nil where the setting is to be left alone.
    private static func value(of key: String, _ value: JSONValue) throws(SettingError) -> ConfigValue? {
        if let isAccepted = FixedSettings.accepts(value, for: key) {
            if !isAccepted { throw SettingError(FixedSettings.complaint(key)) }
            return nil
        }
        guard let setting = Setting.byKey[key] else { throw SettingError(Setting.unknown(key)) }
        if value.isNull {
            return setting.isOptional ? ConfigValue(.string(SettingValue.nullText), isSecret: false) : nil
        }
        guard let content = setting.shape.content(value) else {
            throw SettingError("\(key) has to be \(setting.shape.expectation)")
        }
        return ConfigValue(content, isSecret: setting.isSecret)
    }
}

extension Setting {
    /// What to say about a name that is no setting's.
    static func unknown(_ key: String) -> String {
        let nearest = NearestName.find(key, among: byKey.keys)
        return "there is no setting '\(key)'" + (nearest.map { ", did you mean '\($0)'?" } ?? "")
    }
}

extension SettingShape {
    /// The value of a file for a reader; nil if it has another type.
    fileprivate func content(_ value: JSONValue) -> ConfigContent? {
        switch (self, value) {
        case (.flag, .bool(let flag)), (.structure, .bool(let flag)): .bool(flag)
        case (.integer, .int(let number)), (.seconds, .int(let number)): .int(number)
        case (.seconds, .double(let number)) where number.isFinite: .double(number)
        case (.text, .string(let text)), (.list, .string(let text)): .string(text)
        // Celery's rate limits may be numbers.
        case (.text, .int(let number)): .string("\(number)")
        case (.text, .double(let number)) where number.isFinite: .string("\(number)")
        case (.list, .array(let elements)): names(elements).map { .stringArray($0) }
        case (.structure, .array), (.structure, .object): .string(String(decoding: value.serialized(), as: UTF8.self))
        default: nil
        }
    }

    private func names(_ elements: [JSONValue]) -> [String]? {
        let names = elements.compactMap(\.stringValue)
        return names.count == elements.count ? names : nil
    }
}
