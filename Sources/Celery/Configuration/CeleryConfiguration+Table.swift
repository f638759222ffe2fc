internal import AMQP
package import CeleryProtocol
internal import FoundationEssentials

extension CeleryConfiguration {
    /// The settings by Celery's names, without secrets: what `inspect conf` and reports show.
    ///
    /// Passwords in URLs become `********`. Texts stand for what JSON has no form for. Celery: `Settings.table`.
    ///
    /// - Parameter withDefaults: whether settings are among them that have their default values.
    package func table(withDefaults: Bool) -> JSONObject {
        let defaults = CeleryConfiguration()
        var table: JSONObject = [:]
        for setting in Setting.all {
            let value = setting.json(in: self)
            guard withDefaults || value != setting.json(in: defaults) else { continue }
            table[setting.key] = setting.isSecret ? Self.starred(value) : value
        }
        for (key, value) in FixedSettings.values.sorted(by: { $0.key < $1.key }) {
            // The backend is a choice that everybody has to make with Celery.
            guard withDefaults || key == "result_backend" else { continue }
            table[key] = value.first ?? .null
        }
        return table
    }

    /// A secret: of URLs everything but the password.
    private static func starred(_ value: JSONValue) -> JSONValue {
        guard case .string(let urls) = value else { return .null }
        guard let addresses = try? AMQPURI.parse(urls) else { return .string("********") }
        return .string(addresses.map { $0.redacted.replacing(":**@", with: ":********@") }.joined(separator: ";"))
    }
}

/// Values of settings in JSON.
enum SettingJSON {
    /// The value, or its text where it has no form in JSON.
    static func value(of value: Any) -> JSONValue {
        switch value {
        case let flag as Bool: .bool(flag)
        case let number as Int: .int(number)
        case let number as UInt8: .int(Int(number))
        case let text as String: .string(text)
        case let duration as Duration: JSONValue(seconds: duration)
        case let names as Set<String>: .array(names.sorted().map(JSONValue.string))
        case let names as [String]: .array(names.map(JSONValue.string))
        case let queues as [Queue]: .array(queues.map { .string($0.name) })
        case let zone as TimeZone: .string(zone.identifier)
        case let choice as any RawRepresentable<String>: .string(choice.rawValue)
        case let mode as DeliveryMode: .int(Int(mode.rawValue))
        case let policy as RetryPolicy: self.value(of: policy)
        case is BrokerEncryption: true
        default: .string(String(describing: value))
        }
    }

    private static func value(of policy: RetryPolicy) -> JSONValue {
        [
            "max_retries": policy.maxRetries.map(JSONValue.int) ?? .null,
            "interval_start": value(of: policy.intervalStart),
            "interval_max": value(of: policy.intervalMax),
            "interval_step": value(of: policy.intervalStep),
        ]
    }
}
