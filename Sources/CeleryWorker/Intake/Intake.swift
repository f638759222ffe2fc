import AMQPValues
import Celery
import Synchronization

/// What reaches the dispatcher, in the order in which it happened.
enum IntakeEvent: Sendable {
    /// A queue's consumer is about to start.
    case started(QueueConsumer, tag: String)
    /// Messages of one consuming channel.
    case deliveries(ChannelEpoch, [IncomingMessage])
    /// A consumer was replaced by one with this tag, or could not be replaced.
    case replaced(ChannelEpoch, String?)
    /// The channel is gone, or the broker cancelled its consumer.
    ///
    /// Only with a lost channel do the tasks end that are to be cancelled then: after a cancel the queue may be gone, and
    /// their messages with it.
    case ended(ChannelEpoch, isLost: Bool)
    /// A parked delivery may be due.
    case tick
    /// A delivery that waits for its type's rate limit may start.
    case rateTick
    /// Deliveries may have been held for too long.
    case sweep
    /// A run whose channel was lost has ended. Copies of its message are settled like this, or run where it did not.
    case runEnded(TaskKey, Settlement?)
    /// A parked delivery was sent to the delay ladder, or could not be.
    case handedOver(HandoverParcel, HandoverOutcome)
    /// Tasks were revoked: what waits of them is discarded.
    case revoked(ids: Set<String>)
    /// The rate limit of a task type has changed; nil for none.
    case rateLimit(RateLimit?, task: String)
    /// From now on nothing is started any more.
    case hold
    /// From now on every delivery goes back to the broker. The gate opens when all that came before is done with.
    case drain(Gate<Void>)
    /// Every delivery goes back to the broker that is still held. The gate opens when that is done.
    case release(Gate<Void>)
    /// The dispatcher's loop ends.
    case stop
}

/// The mailbox between the threads of connections and timers, which must not wait, and the dispatcher.
///
/// One reader. It takes everything that has come since its last look in one step, so that a burst costs one wake-up.
final class Intake: Sendable {
    private struct State {
        var events: [IntakeEvent] = []
        var reader: CheckedContinuation<[IntakeEvent], Never>?

        mutating func takeAll() -> [IntakeEvent] {
            defer { events = [] }
            return events
        }
    }

    private let state = Mutex(State())

    /// Appends an event; never blocks.
    func post(_ event: IntakeEvent) {
        let reader = state.withLock { state -> CheckedContinuation<[IntakeEvent], Never>? in
            guard let reader = state.reader else {
                state.events.append(event)
                return nil
            }
            state.reader = nil
            return reader
        }
        reader?.resume(returning: [event])
    }

    /// All events since the last call, at least one.
    ///
    /// Only one task may call this at a time.
    func next() async -> [IntakeEvent] {
        let waiting = state.withLock { $0.takeAll() }
        if !waiting.isEmpty { return waiting }
        return await withCheckedContinuation { continuation in
            let events = state.withLock { state -> [IntakeEvent] in
                if state.events.isEmpty { state.reader = continuation }
                return state.takeAll()
            }
            if !events.isEmpty { continuation.resume(returning: events) }
        }
    }
}
