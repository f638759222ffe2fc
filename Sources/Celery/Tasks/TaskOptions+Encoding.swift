internal import AMQP
internal import OrderedCollections

extension TaskOptions {
    /// The options as they stand in a signature; what is nil or empty is left out.
    package var json: JSONObject {
        var writer = OptionWriter()
        writeTarget(to: &writer)
        writeTimes(to: &writer)
        writeContent(to: &writer)
        writeCanvas(to: &writer)
        return writer.options
    }

    private func writeTarget(to writer: inout OptionWriter) {
        writer.write(.queue, queue)
        writer.write(.exchange, exchange)
        writer.write(.routingKey, routingKey)
        writer.write(.priority, priority.map { .int(Int($0)) })
        writer.write(.deliveryMode, deliveryMode.map { .int(Int($0.rawValue)) })
    }

    private func writeTimes(to writer: inout OptionWriter) {
        writer.write(.countdown, countdown.map(JSONValue.init(seconds:)))
        writer.write(.eta, eta.map(JSONValue.datetime))
        switch expires?.moment {
        case .after(let duration): writer.write(.expires, JSONValue(seconds: duration))
        case .at(let date): writer.write(.expires, .datetime(date))
        case nil: break
        }
        writer.write(.timeLimit, timeLimit.map(JSONValue.init(seconds:)))
        writer.write(.softTimeLimit, softTimeLimit.map(JSONValue.init(seconds:)))
    }

    private func writeContent(to writer: inout OptionWriter) {
        writer.write(.taskID, taskID)
        writer.write(.rootID, rootID)
        writer.write(.parentID, parentID)
        writer.write(.replyTo, replyTo)
        writer.write(.groupID, groupID)
        writer.write(.groupIndex, groupIndex.map(JSONValue.int))
        if !headers.isEmpty { writer.write(.headers, JSONValue(headers)) }
        writer.write(.shadow, shadow)
        writer.write(.argsrepr, argsrepr)
        writer.write(.kwargsrepr, kwargsrepr)
        writer.write(.messageID, properties.messageID)
        writer.write(.timestamp, properties.timestamp.flatMap { Int(exactly: $0) }.map(JSONValue.int))
        writer.write(.type, properties.type)
        writer.write(.userID, properties.userID)
        writer.write(.appID, properties.appID)
        writer.write(.ignoreResult, ignoreResult.map(JSONValue.bool))
    }

    private func writeCanvas(to writer: inout OptionWriter) {
        if !link.isEmpty { writer.write(.link, .array(link.map(\.json))) }
        if !linkError.isEmpty { writer.write(.linkError, .array(linkError.map(\.json))) }
        writer.write(.chord, chord)
        writer.write(.chain, chain.map(JSONValue.array))
        writer.write(.retries, retries.map(JSONValue.int))
        writer.write(.retry, retry.map(JSONValue.bool))
        writer.write(.retryPolicy, retryPolicy?.json)
        writer.write(.replacedTaskNesting, replacedTaskNesting.map(JSONValue.int))
        writer.write(.origin, origin)
        guard let stampedHeaders else { return }
        writer.write(.stampedHeaders, .array(stampedHeaders.map(JSONValue.string)))
        for (name, stamp) in stamps { writer.options[name] = stamp }
    }
}

/// Collects options that are given.
private struct OptionWriter {
    var options: JSONObject = [:]

    mutating func write(_ name: OptionName, _ value: JSONValue?) {
        guard let value else { return }
        options[name.rawValue] = value
    }

    mutating func write(_ name: OptionName, _ text: String?) {
        guard let text else { return }
        options[name.rawValue] = .string(text)
    }
}

extension RetryPolicy {
    fileprivate var json: JSONValue {
        .object([
            "max_retries": maxRetries.map(JSONValue.int) ?? .null,
            "interval_start": JSONValue(seconds: intervalStart),
            "interval_step": JSONValue(seconds: intervalStep),
            "interval_max": JSONValue(seconds: intervalMax),
        ])
    }
}
