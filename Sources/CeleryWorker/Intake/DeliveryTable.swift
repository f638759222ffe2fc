/// Names one unsettled delivery in the ledger; a name is never used for two deliveries.
struct DeliveryID: Sendable, Hashable {
    fileprivate let index: UInt32
    fileprivate let generation: UInt32
}

/// Numbers one opened consuming channel.
///
/// Delivery tags mean nothing outside of the channel that brought them.
struct ChannelEpoch: Sendable, Hashable {
    let number: UInt64
}

/// What became of an attempt to settle a delivery.
enum SettlementVerdict: Sendable, Hashable {
    /// Tell the broker: this is the first settlement, and the channel is the one that delivered.
    case settle(ChannelEpoch, tag: UInt64)
    /// The channel is gone: the broker has taken the delivery back.
    case stale
    /// The delivery was settled before.
    case alreadySettled
}

/// Which deliveries the broker still waits for.
///
/// A pure table: `DeliveryLedger` performs what it says.
struct DeliveryTable {
    private struct Entry {
        var epoch: ChannelEpoch
        var tag: UInt64
        var generation: UInt32
        var isUsed: Bool
        /// The run that began and settles the delivery at its end; nil where none does.
        var run: TaskRequest?
    }

    private var entries: [Entry] = []
    private var free: [UInt32] = []
    private var openEpochs: Set<ChannelEpoch> = []

    /// How many deliveries are unsettled, those of closed channels included until somebody lets go of them.
    var count: Int { entries.count - free.count }

    /// Declares that deliveries of this channel may be settled from now on.
    mutating func open(_ epoch: ChannelEpoch) { openEpochs.insert(epoch) }

    /// Declares the channel gone: settlements of its deliveries are void from now on.
    mutating func close(_ epoch: ChannelEpoch) { openEpochs.remove(epoch) }

    /// Whether the channel is open.
    func isOpen(_ epoch: ChannelEpoch) -> Bool { openEpochs.contains(epoch) }

    /// Enters a delivery.
    mutating func register(_ epoch: ChannelEpoch, tag: UInt64) -> DeliveryID {
        if let index = free.popLast() {
            let position = Int(index)
            entries[position].epoch = epoch
            entries[position].tag = tag
            entries[position].isUsed = true
            return DeliveryID(index: index, generation: entries[position].generation)
        }
        entries.append(Entry(epoch: epoch, tag: tag, generation: 0, isUsed: true))
        return DeliveryID(index: UInt32(entries.count - 1), generation: 0)
    }

    /// Whether the delivery is unsettled and its channel open.
    func isLive(_ id: DeliveryID) -> Bool {
        let entry = entries[Int(id.index)]
        return entry.isUsed && entry.generation == id.generation && openEpochs.contains(entry.epoch)
    }

    /// Notes that a run has begun which settles the delivery at its end; false if it must not begin.
    mutating func begin(_ run: TaskRequest, _ id: DeliveryID) -> Bool {
        guard isLive(id) else { return false }
        entries[Int(id.index)].run = run
        return true
    }

    /// The unsettled runs that have begun.
    var runs: some Sequence<TaskRequest> { entries.lazy.compactMap(\.run) }

    /// Takes the runs out that go on although their channel, this one, is gone.
    ///
    /// Their settlements still answer `stale`.
    mutating func takeRuns(of epoch: ChannelEpoch) -> [TaskRequest] {
        var runs: [TaskRequest] = []
        for index in entries.indices where entries[index].epoch == epoch {
            if let run = entries[index].run { runs.append(run) }
            entries[index].run = nil
        }
        return runs
    }

    /// Takes the delivery out and says what to tell the broker, if anything.
    mutating func settle(_ id: DeliveryID) -> SettlementVerdict {
        let position = Int(id.index)
        let entry = entries[position]
        guard entry.isUsed, entry.generation == id.generation else { return .alreadySettled }
        entries[position].isUsed = false
        entries[position].run = nil
        entries[position].generation &+= 1
        free.append(id.index)
        return openEpochs.contains(entry.epoch) ? .settle(entry.epoch, tag: entry.tag) : .stale
    }
}
