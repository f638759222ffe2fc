public import CeleryProtocol

/// An event as a receiver hands it on: what its sender wrote, with clock and time made comparable.
///
/// Source of the rules: `celery.events.receiver.EventReceiver.event_from_message`.
public struct ClusterEvent: Sendable, Hashable {
    /// What has happened, such as `task-succeeded` or `worker-heartbeat`.
    public let type: String
    /// Everything that the event says, in the order of the wire, with `clock`, `timestamp` and `local_received` as the
    /// receiver has set them.
    public let fields: JSONObject

    /// Makes an event of its fields.
    public init(type: String, fields: JSONObject) {
        self.type = type
        self.fields = fields
    }

    /// The type's part before the first `-`: `task`, `worker` or one of an application's own.
    public var group: Substring { type.prefix { $0 != "-" } }

    /// The type's part behind the first `-`; empty where there is none.
    public var subject: Substring { type.dropFirst(group.count + 1) }

    /// The node that sent the event; for `task-sent` the client, as `gen<pid>@<host>`.
    public var hostname: String? { fields["hostname"]?.stringValue }

    /// The task's id, for events of tasks.
    public var taskID: String? { fields["uuid"]?.stringValue }

    /// When the event happened: seconds since 1970, moved by the difference of both time zones as Celery does.
    public var timestamp: Double? { fields["timestamp"]?.doubleValue }

    /// The Lamport clock of the event.
    public var clock: Int { fields["clock"]?.intValue ?? 0 }

    /// When the event came in: seconds since 1970 by the receiver's clock.
    public var receivedAt: Double? { fields["local_received"]?.doubleValue }
}
