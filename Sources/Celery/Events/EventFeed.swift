internal import AMQP
internal import CeleryProtocol
internal import FoundationEssentials

/// What one loop over an ``EventReceiver`` stands on: an inbox and the task that fills it, which ends with this object.
final class EventFeed: Sendable {
    /// What is read of one message.
    private static let limits = JSONLimits(maxDepth: 32, maxBytes: 16 << 20, loneSurrogates: .replace)

    private let receiver: EventReceiver
    private let inbox: EventInbox
    private let localizer = EventLocalizer(utcOffset: LocalTime.hoursWest, clock: LogicalClock())
    private let filling: Task<Void, Never>

    init(_ receiver: EventReceiver) {
        let inbox = EventInbox(maxMessages: receiver.bufferSize)
        self.receiver = receiver
        self.inbox = inbox
        filling = Task { await EventConsumption(receiver: receiver, inbox: inbox).run() }
    }

    deinit {
        filling.cancel()
    }

    /// The events of the next message; nil when the loop's task is cancelled.
    func nextBatch() async throws(CeleryError) -> ArraySlice<JSONValue>? {
        while case .message(let message) = try await inbox.next() {
            let dropped = inbox.takeDropped()
            if dropped > 0 { receiver.note(malformed: 0, dropped: dropped) }
            if let events = Self.events(message) { return events }
            receiver.note(malformed: 1, dropped: 0)
        }
        return nil
    }

    /// An event of a message; what is none is counted.
    func event(_ body: JSONValue) -> ClusterEvent? {
        let event = localizer.event(body, now: Date().timeIntervalSince1970)
        if event == nil { receiver.note(malformed: 1, dropped: 0) }
        return event
    }

    private static func events(_ message: IncomingMessage) -> ArraySlice<JSONValue>? {
        guard message.properties.contentType == JSONFormat.contentType,
            let body = try? JSONFormat.decode(message.body, limits: limits)
        else { return nil }
        return (body.arrayValue ?? [body])[...]
    }
}
