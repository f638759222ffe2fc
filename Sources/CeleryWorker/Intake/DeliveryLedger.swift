import AMQPValues
import Celery
import Synchronization

/// The only one who settles deliveries.
///
/// Idempotent: whoever comes second does nothing. Checked against the epoch: a settlement that comes after its channel
/// was lost is a counted no-op, because the broker has already taken the delivery back and a tag of the old channel
/// would acknowledge a stranger on the new one.
final class DeliveryLedger: Sendable {
    private struct State {
        var table = DeliveryTable()
        var channels: [ChannelEpoch: any BrokerChannel] = [:]
        var lastEpoch: UInt64 = 0
    }

    private let state = Mutex(State())
    private let counters: WorkerCounters

    init(counters: WorkerCounters) {
        self.counters = counters
    }

    /// Enters a newly opened consuming channel and gives it its number.
    func open(_ channel: any BrokerChannel) -> ChannelEpoch {
        state.withLock { state in
            state.lastEpoch += 1
            let epoch = ChannelEpoch(number: state.lastEpoch)
            state.channels[epoch] = channel
            state.table.open(epoch)
            return epoch
        }
    }

    /// Declares a channel gone.
    func close(_ epoch: ChannelEpoch) {
        state.withLock { state in
            state.channels[epoch] = nil
            state.table.close(epoch)
        }
    }

    /// Enters a batch of deliveries of one channel; nil if the channel is gone, for the broker has them back.
    func register(_ epoch: ChannelEpoch, tags: some Sequence<UInt64>) -> [DeliveryID]? {
        state.withLock { state in
            guard state.table.isOpen(epoch) else { return nil }
            return tags.map { state.table.register(epoch, tag: $0) }
        }
    }

    /// Whether the delivery is unsettled and its channel open: only then may its task start.
    func isLive(_ id: DeliveryID) -> Bool {
        state.withLock { $0.table.isLive(id) }
    }

    /// Settles a delivery, once.
    func settle(_ id: DeliveryID, _ settlement: Settlement) {
        let (verdict, channel) = take(id)
        switch verdict {
        case .settle(_, let tag): channel?.settle(tag, settlement)
        case .stale: counters.staleSettlements.add()
        case .alreadySettled: break
        }
    }

    /// Acknowledges a delivery whose task is about to start.
    ///
    /// False if the broker has it back: then it must not start.
    func acknowledgeStart(_ id: DeliveryID) -> Bool {
        let (verdict, channel) = take(id)
        guard case .settle(_, let tag) = verdict else { return false }
        channel?.settle(tag, .ack)
        return true
    }

    /// Lets go of a delivery of a lost channel that never started.
    func forget(_ id: DeliveryID) { _ = take(id) }

    /// How many deliveries of a channel are unsettled, from this tag on; looks at every entry.
    func unsettledCount(of epoch: ChannelEpoch, from tag: UInt64) -> Int {
        state.withLock { $0.table.unsettledCount(of: epoch, from: tag) }
    }

    /// How many deliveries are unsettled.
    var count: Int { state.withLock { $0.table.count } }

    private func take(_ id: DeliveryID) -> (SettlementVerdict, (any BrokerChannel)?) {
        state.withLock { state in
            let verdict = state.table.settle(id)
            guard case .settle(let epoch, _) = verdict else { return (verdict, nil) }
            return (verdict, state.channels[epoch])
        }
    }
}
