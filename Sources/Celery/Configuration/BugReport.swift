internal import AMQP

/// The text that Celery's `report` shows: versions, platform, and the settings that differ from their defaults.
///
/// Source of the layout: `celery.app.utils.bugreport`; no secret is in it.
package struct BugReport: Sendable, Hashable {
    /// The whole text, with an empty line before and behind it as in Celery's.
    package let text: String

    /// Puts the report together.
    ///
    /// - Parameters:
    ///   - configuration: the settings that apply.
    ///   - application: what the application is called; in the place of Python's loader.
    ///   - system: what the platform is called.
    package init(configuration: CeleryConfiguration, application: String, system: SystemName = .current) {
        let settings = configuration.reportedSettings.map { "\($0.name): \($0.value)" }
        text = """

            software -> \(PackageVersion.product):\(PackageVersion.text) swift:\(Self.compiler) \
            librabbitmq:\(LibraryVersion.librabbitmq)
            platform -> system:\(system.system) arch:\(system.machine)
                        kernel version:\(system.release) imp:Swift
            loader   -> \(application)
            settings -> transport:amqp results:rpc:///

            \(settings.joined(separator: "\n"))

            """
    }

    /// The version of the language that this was built with.
    private static var compiler: String {
        #if compiler(>=6.4)
        "6.4"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }
}

extension CeleryConfiguration {
    /// The settings that differ from their defaults, as Celery's report shows them.
    ///
    /// In URLs the password is starred, and so is every setting whose name looks as if it were a secret.
    var reportedSettings: [(name: String, value: String)] {
        changedSettings.compactMap { name, value in
            guard let setting = Setting.byKey[name] else { return nil }
            return (name, Self.reported(setting, value, in: self))
        }
    }

    /// `HIDDEN_SETTINGS` of `celery.app.utils`.
    private static let secretWords = [
        "API", "TOKEN", "KEY", "SECRET", "PASS", "PROFANITIES_LIST", "SIGNATURE", "DATABASE", "BEAT_DBURI",
    ]
    private static let mask = "********"

    private static func reported(_ setting: Setting, _ value: String, in configuration: CeleryConfiguration) -> String {
        let name = setting.key.uppercased()
        if secretWords.contains(where: { name.contains($0) }) { return "'\(mask)'" }
        if name.hasPrefix("BROKER_"), name.hasSuffix("URL") {
            return "'\(redacted(setting.text(in: configuration)).replacing(":**@", with: ":\(mask)@"))'"
        }
        if setting.isSecret { return "'\(mask)'" }
        switch setting.shape {
        case _ where value == SettingValue.nullText: return "None"
        case .flag: return value == "true" ? "True" : "False"
        case .seconds: return value.hasSuffix(" seconds") ? String(value.dropLast(" seconds".count)) : value
        case .text: return "'\(value)'"
        case .list: return value.replacing("\"", with: "'")
        case .integer, .structure: return value
        }
    }
}
