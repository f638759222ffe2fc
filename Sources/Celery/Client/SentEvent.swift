package import AMQP
internal import CeleryProtocol
internal import FoundationEssentials

/// The event `task-sent` of a task that was published, where `task_send_sent_event` asks for it.
///
/// Source: `celery.app.amqp.AMQP.as_task_v2` and `send_task_message`.
package enum SentEvent {
    /// The exchange of events.
    package static func exchange(_ configuration: CeleryConfiguration) -> ExchangeDeclaration {
        ExchangeDeclaration(name: configuration.eventExchange, type: "topic")
    }

    /// The message of the event.
    ///
    /// - Parameters:
    ///   - task: what was published.
    ///   - exchange: the exchange of events.
    ///   - clock: the logical clock of the sender.
    package static func message(of task: ComposedTask, exchange: String, clock: LogicalClock) -> OutgoingMessage {
        let event = EventMessage(
            type: "task-sent",
            hostname: ProcessIdentity.origin,
            utcOffset: Double(-TimeZone.current.secondsFromGMT()) / 3600,
            processID: ProcessIdentity.processID,
            clock: clock.forward(),
            fields: fields(of: task),
            timestamp: Date().timeIntervalSince1970
        )
        return OutgoingMessage(
            exchange: exchange,
            routingKey: EventMessage.routingKey(of: event.type),
            mandatory: false,
            properties: EventMessage.properties(hostname: event.hostname),
            body: event.encoded()
        )
    }

    private static func fields(of task: ComposedTask) -> JSONObject {
        let headers = task.message.properties.headers ?? [:]
        let value: (String) -> JSONValue = { headers[$0].map { JSONValue($0) } ?? .null }
        return [
            "uuid": .string(task.id),
            "root_id": value("root_id"),
            "parent_id": value("parent_id"),
            "name": .string(task.task),
            "args": value("argsrepr"),
            "kwargs": value("kwargsrepr"),
            "retries": value("retries"),
            "eta": value("eta"),
            "expires": value("expires"),
            "queue": task.queue.map { .string($0.name) } ?? .null,
            "exchange": .string(task.message.exchange),
            "routing_key": .string(task.message.routingKey),
        ]
    }
}
