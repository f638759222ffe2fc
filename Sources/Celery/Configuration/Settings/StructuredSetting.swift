internal import AMQP
internal import FoundationEssentials

/// Reads the settings whose values are more than a flag, a number or a text.
enum StructuredSetting {
    /// `timezone`: a name of the zone database.
    static func timeZone(_ value: SettingValue) throws(SettingError) -> TimeZone {
        guard let zone = TimeZone(identifier: try value.asText) else {
            throw .expected("the name of a time zone, such as 'Europe/Berlin'")
        }
        return zone
    }

    /// `task_default_delivery_mode`: 1 or 2, or their names.
    static func deliveryMode(_ value: SettingValue) throws(SettingError) -> DeliveryMode {
        switch value {
        case .integer(1), .text("1"), .text("transient"): return .transient
        case .integer(2), .text("2"), .text("persistent"): return .persistent
        default: throw .expected("1, 2, 'transient' or 'persistent'")
        }
    }

    /// `task_publish_retry_policy`: kombu's map.
    static func retryPolicy(_ value: SettingValue) throws(SettingError) -> RetryPolicy {
        var map = try SettingMap(try value.asStructure)
        var policy = RetryPolicy()
        if let limit = map.take("max_retries") { policy.maxRetries = try map.optionalInteger(limit) }
        if let start = try map.seconds("interval_start") { policy.intervalStart = start }
        if let step = try map.seconds("interval_step") { policy.intervalStep = step }
        if let longest = try map.seconds("interval_max") { policy.intervalMax = longest }
        try map.finish()
        return policy
    }

    /// `broker_use_ssl`: true for the defaults, or py-amqp's map.
    static func encryption(_ value: SettingValue) throws(SettingError) -> BrokerEncryption {
        if let flag = try? value.asFlag { return flag ? .on(TLSConfiguration()) : .off }
        var map = try SettingMap(try value.asStructure)
        var configuration = TLSConfiguration()
        configuration.certificateAuthorityFile = try map.text("ca_certs")
        configuration.certificateFile = try map.text("certfile")
        configuration.keyFile = try map.text("keyfile")
        switch map.take("cert_reqs") {
        case nil, .int(2), .string("CERT_REQUIRED"), .string("required"): break
        case .int(0), .string("CERT_NONE"), .string("none"):
            configuration.verifyPeer = false
            configuration.verifyHostname = false
        default: throw SettingError("has a 'cert_reqs' that is neither 'CERT_REQUIRED' nor 'CERT_NONE'")
        }
        if let checks = try map.flag("check_hostname") { configuration.verifyHostname = checks }
        configuration.ciphers = try map.text("ciphers")
        try map.finish()
        return .on(configuration)
    }

    /// `task_routes`: patterns with what they lead to; several maps are looked at one after the other.
    static func routes(_ value: SettingValue) throws(SettingError) -> [TaskRoute] {
        let structure = try value.asStructure
        var routes: [TaskRoute] = []
        for element in structure.arrayValue ?? [structure] {
            guard let map = element.objectValue else {
                throw .expected("a map of task names to queues, or a list of such maps")
            }
            for (name, target) in map { routes.append(try route(name, target)) }
        }
        return routes
    }

    private static func route(_ name: String, _ target: JSONValue) throws(SettingError) -> TaskRoute {
        let route: Route
        switch target {
        case .string(let queue): route = Route(queue: queue)
        case .object(let options):
            do {
                route = Route(try TaskOptions(decoding: options))
            } catch {
                throw SettingError("has a route of '\(name)' that cannot be read: \(error.message)")
            }
        default: throw SettingError("has a route of '\(name)' that is neither a queue's name nor a map")
        }
        // Celery takes a name for a pattern where it has a star.
        return name.contains("*") ? .glob(name, route) : .exact(name, route)
    }
}

/// What `broker_use_ssl` says.
enum BrokerEncryption: Sendable, Hashable {
    case off
    case on(TLSConfiguration)
}

extension CeleryConfiguration {
    /// `brokerUseSSL` as the setting writes it: false and null are the same.
    var brokerUseSSLSetting: BrokerEncryption? {
        get { brokerUseSSL.map { .on($0) } }
        set {
            if case .on(let configuration) = newValue { brokerUseSSL = configuration } else { brokerUseSSL = nil }
        }
    }
}
