import AMQP
import Synchronization

/// How much of a collector queue is in a worker's memory; takes no more in than that.
///
/// The broker sends all that is in the queue, whatever the worker has done with what came before. What is beyond the
/// capacity is dropped unread and unsettled, with everything behind it on the same channel: to the worker it has not come
/// yet. It comes again on the next channel, in its place.
final class ChordGauge: Sendable {
    /// What is taken of a delivery of several messages.
    struct Admission {
        let taken: ArraySlice<IncomingMessage>
        /// Whether this is the first time that something of the channel is dropped.
        let isOverflow: Bool
    }

    private struct State {
        /// The size of what its owner has not looked at.
        var waiting = 0
        /// The size of what its owner holds.
        var held = 0
        /// The channel of which nothing more is taken.
        var full: ChannelEpoch?
    }

    /// What a message costs beyond its body, in bytes.
    ///
    /// Less than three times the size of the smallest results: otherwise the capacity could be used up by what the ledger, which
    /// counts bodies alone, takes for less than a quarter of it, and nothing would make room.
    private static let overhead = 256

    private let capacity: Int
    private let state = Mutex(State())

    /// Makes a gauge of so many bytes.
    init(capacity: Int) {
        self.capacity = capacity
    }

    /// Whether its owner has looked at everything.
    var isHandled: Bool { state.withLock { $0.waiting == 0 } }

    /// Takes messages while there is room; the first one always, where nothing is held, so that things go on.
    func admit(_ messages: [IncomingMessage], from epoch: ChannelEpoch) -> Admission {
        state.withLock { state in
            guard state.full != epoch else { return Admission(taken: [], isOverflow: false) }
            var count = 0
            for message in messages {
                let size = Self.size(of: message)
                let total = state.waiting + state.held
                guard total == 0 || total + size <= capacity else { break }
                state.waiting += size
                count += 1
            }
            let isOverflow = count < messages.count
            if isOverflow { state.full = epoch }
            return Admission(taken: messages.prefix(count), isOverflow: isOverflow)
        }
    }

    /// The owner has looked at messages, and now holds so many bytes.
    func handled(_ messages: [IncomingMessage], holding bytes: Int) {
        let size = messages.reduce(0) { $0 + Self.size(of: $1) }
        state.withLock { state in
            state.waiting -= size
            state.held = bytes
        }
    }

    /// The owner holds so many bytes.
    func hold(_ bytes: Int) { state.withLock { $0.held = bytes } }

    private static func size(of message: IncomingMessage) -> Int { message.body.count + overhead }
}
