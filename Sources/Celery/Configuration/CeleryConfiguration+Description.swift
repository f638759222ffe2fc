internal import AMQP

extension CeleryConfiguration {
    /// `broker_url` without password, for logs and banners.
    public var redactedBrokerURL: String { Self.redacted(brokerURL) }

    /// URLs without passwords; of what cannot be read nothing is shown.
    package static func redacted(_ urls: String) -> String {
        guard let addresses = try? AMQPURI.parse(urls) else { return "(invalid)" }
        return addresses.map(\.redacted).joined(separator: ";")
    }
}

extension CeleryConfiguration: CustomStringConvertible, CustomDebugStringConvertible {
    /// The broker and the default queue; no password.
    public var description: String {
        "CeleryConfiguration(broker: \(redactedBrokerURL), default queue: \(taskDefaultQueue))"
    }

    /// The same as ``description``: a password is never printed by accident.
    public var debugDescription: String { description }
}

extension CeleryConfiguration: CustomReflectable {
    /// Shows what ``description`` tells, so that `dump` prints no password either.
    public var customMirror: Mirror {
        Mirror(self, children: ["brokerURL": redactedBrokerURL, "taskDefaultQueue": taskDefaultQueue])
    }
}
