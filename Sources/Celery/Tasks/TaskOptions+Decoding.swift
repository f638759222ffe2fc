internal import AMQP
internal import OrderedCollections

extension TaskOptions {
    /// Reads the options of a signature.
    ///
    /// Null counts as not given; unknown keys are left alone, as Celery does, and so are `serializer` and
    /// `compression`: what comes in JSON goes out in JSON.
    ///
    /// - Throws: ``CeleryError/Code/invalidSignature``, naming the key.
    package init(decoding options: JSONObject) throws(CeleryError) {
        self.init()
        for (key, value) in options where !value.isNull {
            guard let name = OptionName(rawValue: key) else { continue }
            try set(name, value)
        }
        for name in stampedHeaders ?? [] {
            if let stamp = options[name] { stamps[name] = stamp }
        }
    }

    private mutating func set(_ name: OptionName, _ value: JSONValue) throws(CeleryError) {
        switch name {
        case .queue: queue = try Self.text(name, value)
        case .exchange: exchange = try Self.text(name, value)
        case .routingKey: routingKey = try Self.text(name, value)
        case .priority: priority = try Self.priority(value)
        case .deliveryMode: deliveryMode = try Self.deliveryMode(value)
        case .countdown: countdown = try Self.seconds(name, value)
        case .eta: eta = try Self.date(name, value)
        case .expires: expires = try Self.expiry(value)
        case .timeLimit: timeLimit = try Self.seconds(name, value)
        case .softTimeLimit: softTimeLimit = try Self.seconds(name, value)
        case .retry: retry = try Self.flag(name, value)
        case .retryPolicy: retryPolicy = try Self.policy(value)
        default: try setContent(name, value)
        }
    }

    private mutating func setContent(_ name: OptionName, _ value: JSONValue) throws(CeleryError) {
        switch name {
        case .taskID: taskID = try Self.text(name, value)
        case .rootID: rootID = try Self.text(name, value)
        case .parentID: parentID = try Self.text(name, value)
        case .replyTo: replyTo = try Self.text(name, value)
        case .groupID: groupID = try Self.text(name, value)
        case .groupIndex: groupIndex = try Self.number(name, value)
        case .headers: headers = try FieldTable(json: Self.map(name, value))
        case .shadow: shadow = try Self.text(name, value)
        case .argsrepr: argsrepr = try Self.text(name, value)
        case .kwargsrepr: kwargsrepr = try Self.text(name, value)
        case .messageID: properties.messageID = try Self.text(name, value)
        case .timestamp: properties.timestamp = try UInt64(exactly: Self.number(name, value))
        case .type: properties.type = try Self.text(name, value)
        case .userID: properties.userID = try Self.text(name, value)
        case .appID: properties.appID = try Self.text(name, value)
        case .ignoreResult: ignoreResult = try Self.flag(name, value)
        default: try setCanvas(name, value)
        }
    }

    private mutating func setCanvas(_ name: OptionName, _ value: JSONValue) throws(CeleryError) {
        switch name {
        case .link: link = try Self.signatures(value)
        case .linkError: linkError = try Self.signatures(value)
        case .chain: chain = try Self.list(name, value)
        case .chord: chord = .object(try Self.map(name, value))
        case .retries: retries = try Self.number(name, value)
        case .replacedTaskNesting: replacedTaskNesting = try Self.number(name, value)
        case .origin: origin = try Self.text(name, value)
        case .stampedHeaders: stampedHeaders = try Self.list(name, value).compactMap(\.stringValue)
        default: break
        }
    }
}

extension TaskOptions {
    private static func invalid(_ name: OptionName, _ expected: String) -> CeleryError {
        CeleryError(.invalidSignature, "a signature's option '\(name.rawValue)' has to be \(expected)")
    }

    private static func text(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> String {
        guard let text = value.stringValue else { throw invalid(name, "text") }
        return text
    }

    private static func flag(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> Bool {
        guard let flag = value.boolValue else { throw invalid(name, "a boolean") }
        return flag
    }

    private static func number(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> Int {
        guard let number = value.intValue, number >= 0 else { throw invalid(name, "a number from 0") }
        return number
    }

    private static func seconds(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> Duration {
        guard let duration = value.secondsDuration else { throw invalid(name, "a number of seconds within 31 bits") }
        return duration
    }

    private static func list(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> [JSONValue] {
        guard let elements = value.arrayValue else { throw invalid(name, "a list") }
        return elements
    }

    private static func map(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> JSONObject {
        guard let entries = value.objectValue else { throw invalid(name, "a map") }
        return entries
    }

    private static func priority(_ value: JSONValue) throws(CeleryError) -> UInt8 {
        guard let priority = value.intValue.flatMap(UInt8.init(exactly:)) else {
            throw invalid(.priority, "a number from 0 to 255")
        }
        return priority
    }

    private static func deliveryMode(_ value: JSONValue) throws(CeleryError) -> DeliveryMode {
        switch value {
        case .int(1), .string("transient"): return .transient
        case .int(2), .string("persistent"): return .persistent
        default: throw invalid(.deliveryMode, "1, 2, 'transient' or 'persistent'")
        }
    }

    private static func date(_ name: OptionName, _ value: JSONValue) throws(CeleryError) -> WireDate {
        switch value {
        case .datetime(let date): return date
        case .string(let text): return try date(name, parsing: text)
        default: throw invalid(name, "a date and time")
        }
    }

    private static func date(_ name: OptionName, parsing text: String) throws(CeleryError) -> WireDate {
        do {
            return try WireDate(parsing: text)
        } catch {
            throw CeleryError(
                .invalidSignature,
                "a signature's option '\(name.rawValue)' is no date and time",
                underlying: error
            )
        }
    }

    private static func expiry(_ value: JSONValue) throws(CeleryError) -> Expiry {
        switch value {
        case .int, .double: Expiry(.after(try seconds(.expires, value)))
        default: Expiry(.at(try date(.expires, value)))
        }
    }

    private static func signatures(_ value: JSONValue) throws(CeleryError) -> [Signature] {
        var signatures: [Signature] = []
        for element in value.arrayValue ?? [value] { signatures.append(try Signature(decoding: element)) }
        return signatures
    }

    private static func policy(_ value: JSONValue) throws(CeleryError) -> RetryPolicy {
        let entries = try map(.retryPolicy, value)
        var policy = RetryPolicy()
        if let limit = entries["max_retries"] {
            policy.maxRetries = limit.isNull ? nil : try number(.retryPolicy, limit)
        }
        if let start = entries["interval_start"] { policy.intervalStart = try seconds(.retryPolicy, start) }
        if let step = entries["interval_step"] { policy.intervalStep = try seconds(.retryPolicy, step) }
        if let longest = entries["interval_max"] { policy.intervalMax = try seconds(.retryPolicy, longest) }
        return policy
    }
}
