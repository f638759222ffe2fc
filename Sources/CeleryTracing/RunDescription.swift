import CeleryProtocol
import CeleryWorker
import Tracing

/// What the span of a run says of it.
struct RunDescription {
    private let run: TaskSignal.Postrun

    init(_ run: TaskSignal.Postrun) {
        self.run = run
    }

    func write(to attributes: inout SpanAttributes) {
        let context = run.context
        attributes[Attribute.action] = "run"
        attributes[Attribute.state] = run.state.name
        attributes[Attribute.messageID] = context.id
        attributes[Attribute.taskName] = context.name
        // Python's writes the sender over the worker's own name.
        attributes[Attribute.hostname] = context.origin ?? context.hostname
        attributes[Attribute.destination] = context.deliveryInfo.routingKey
        attributes[Attribute.deliveryInfo] = Self.text(of: context.deliveryInfo)
        if let id = context.correlationID, !id.isEmpty { attributes[Attribute.conversationID] = id }
        if let queue = context.replyTo { attributes[Attribute.replyTo] = queue }
        if context.retries > 0 { attributes[Attribute.retries] = context.retries }
        if let eta = context.eta { attributes[Attribute.eta] = WireDate(eta).text }
        if let expires = context.expires { attributes[Attribute.expires] = WireDate(expires).text }
        if let limits = Self.text(hard: context.timeLimit, soft: context.softTimeLimit) {
            attributes[Attribute.timeLimit] = limits
        }
    }

    /// Python's text of the map.
    private static func text(of info: DeliveryInfo) -> String {
        PythonRepr.repr([
            "exchange": .string(info.exchange), "routing_key": .string(info.routingKey),
            "priority": info.priority.map { .int(Int($0)) } ?? .null, "redelivered": .bool(info.redelivered),
        ])
    }

    private static func text(hard: Duration?, soft: Duration?) -> [String]? {
        guard hard != nil || soft != nil else { return nil }
        return [hard, soft].map { limit in
            guard let limit else { return "" }
            let seconds = Double(limit.components.seconds) + Double(limit.components.attoseconds) / 1e18
            return Int(exactly: seconds).map(String.init) ?? "\(seconds)"
        }
    }
}
