import Celery
import Synchronization

/// What reaches a live view from elsewhere until it looks: events, the broker's state, outcomes of actions, its end.
final class LiveInbox: Sendable {
    /// What has come in.
    struct Contents: Sendable {
        var events: [ClusterEvent] = []
        var isConnected: Bool?
        var page: Monitor.Page?
        var note: String?
        /// Why the view has to end; nil while it has not to.
        var end: Result<Void, CommandFailure>?

        /// Whether there is anything.
        var isEmpty: Bool { events.isEmpty && isConnected == nil && page == nil && note == nil && end == nil }
    }

    /// Events that may wait for one look; the receiver behind holds back, counts and drops further ones.
    private static let bound = 5_000

    private let contents = Mutex(Contents())

    /// Whether no further event should come now.
    var isFull: Bool { contents.withLock { $0.events.count >= Self.bound } }

    func put(_ event: ClusterEvent) {
        contents.withLock { $0.events.append(event) }
    }

    func put(isConnected: Bool) {
        contents.withLock { $0.isConnected = isConnected }
    }

    func put(_ page: Monitor.Page) {
        contents.withLock { $0.page = page }
    }

    func put(note: String) {
        contents.withLock { $0.note = note }
    }

    func end(_ reason: Result<Void, CommandFailure>) {
        contents.withLock { if $0.end == nil { $0.end = reason } }
    }

    /// Takes everything out; the end stays.
    func take() -> Contents {
        contents.withLock { contents in
            defer { contents = Contents(end: contents.end) }
            return contents
        }
    }
}
