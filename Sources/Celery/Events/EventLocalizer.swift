internal import CeleryProtocol

/// Makes clock and time of incoming events comparable, as Celery's receiver does.
struct EventLocalizer: Sendable {
    /// Hours that the local time zone is west of UTC.
    let utcOffset: Double
    let clock: LogicalClock

    /// Takes an event in.
    ///
    /// - Parameters:
    ///   - body: one event of a message.
    ///   - now: seconds since 1970.
    /// - Returns: nil for what is no event.
    func event(_ body: JSONValue, now: Double) -> ClusterEvent? {
        guard var fields = body.objectValue, let type = fields["type"]?.stringValue, !type.isEmpty else { return nil }
        if type == "task-sent" {
            // Clients do not synchronise their clocks: theirs tells nothing.
            let time = max(clock.value, 1) - 1
            clock.adjust(time)
            fields["clock"] = .int(time)
        } else if let time = fields["clock"]?.intValue {
            clock.adjust(time)
        } else {
            fields["clock"] = .int(clock.forward())
        }
        if let offset = fields["utcoffset"]?.doubleValue, let time = fields["timestamp"]?.doubleValue {
            fields["timestamp"] = .double(time - (offset - utcOffset) * 3600)
        }
        fields["local_received"] = .double(now)
        return ClusterEvent(type: type, fields: fields)
    }
}
