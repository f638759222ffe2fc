/// The runs that were acknowledged last on each channel, in a ring.
///
/// An acknowledgement that is posted to a connection which is dead already, but not known to be, never reaches the
/// broker; the message comes back. The ring tells of which messages that may be true.
struct SettledTail {
    private struct Entry {
        let epoch: ChannelEpoch
        let key: TaskKey
    }

    /// How many acknowledgements are remembered over all channels.
    static let defaultCapacity = 4_096

    private let capacity: Int
    private var entries: [Entry] = []
    private var next = 0

    init(capacity: Int = Self.defaultCapacity) {
        self.capacity = max(1, capacity)
    }

    /// Remembers an acknowledgement, in place of the oldest one.
    mutating func append(_ epoch: ChannelEpoch, _ key: TaskKey) {
        if entries.count < capacity {
            entries.append(Entry(epoch: epoch, key: key))
        } else {
            entries[next] = Entry(epoch: epoch, key: key)
            next = (next + 1) % capacity
        }
    }

    /// Takes out what was acknowledged on this channel.
    mutating func take(_ epoch: ChannelEpoch) -> [TaskKey] {
        let ordered = entries[next...] + entries[..<next]
        entries = ordered.filter { $0.epoch != epoch }
        next = 0
        return ordered.lazy.filter { $0.epoch == epoch }.map(\.key)
    }
}
