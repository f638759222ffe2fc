import OrderedCollections

/// One event: that a worker lives, or that something has happened to a task.
///
/// Celery: `celery.events.event.Event`, with what `celery.events.dispatcher.EventDispatcher` adds to it.
public struct EventMessage: Sendable, Hashable {
    /// What has happened: the group, a dash and the rest, such as `task-received`.
    public var type: String
    /// The node that has sent the event.
    public var hostname: String
    /// How many hours west of UTC the sender's clock shows; nil where the event does not tell.
    public var utcOffset: Double?
    /// The sender's process; nil where the event does not tell.
    public var processID: Int?
    /// The sender's logical time; nil for an event that has none.
    public var clock: Int?
    /// What only events of this type have, in the order of the wire.
    public var fields: JSONObject
    /// When it happened, in seconds since 1970 by the sender's clock; nil where the event does not tell.
    public var timestamp: Double?

    /// Makes an event.
    public init(
        type: String,
        hostname: String,
        utcOffset: Double? = 0,
        processID: Int? = nil,
        clock: Int? = nil,
        fields: JSONObject = [:],
        timestamp: Double? = nil
    ) {
        self.type = type
        self.hostname = hostname
        self.utcOffset = utcOffset
        self.processID = processID
        self.clock = clock
        self.fields = fields
        self.timestamp = timestamp
    }

    /// The text of the type before its first dash: `task`, `worker`, or a group of an application's own.
    public var group: String { Self.group(of: type) }

    /// The task that the event is about; nil where it is about none.
    public var uuid: String? { fields["uuid"]?.stringValue }

    /// The group of a type of events (`celery.events.event.group_from`).
    public static func group(of type: String) -> String {
        String(type.prefix { $0 != "-" })
    }

    /// The routing key of a type of events: its text with dots in place of dashes.
    public static func routingKey(of type: String) -> String {
        String(String.UnicodeScalarView(type.unicodeScalars.map { $0 == "-" ? "." : $0 }))
    }
}
