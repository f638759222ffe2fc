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
        var tail = SettledTail()
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

    /// Whether the channel is open.
    func isOpen(_ epoch: ChannelEpoch) -> Bool { state.withLock { $0.table.isOpen(epoch) } }

    /// Whether the delivery is unsettled and its channel open.
    func isLive(_ id: DeliveryID) -> Bool {
        state.withLock { $0.table.isLive(id) }
    }

    /// Notes that a run has begun whose end settles its delivery.
    ///
    /// False if the broker has it back: then it must not begin.
    func begin(_ run: TaskRequest) -> Bool {
        state.withLock { $0.table.begin(run, run.delivery) }
    }

    /// Settles a delivery, once.
    func settle(_ id: DeliveryID, _ settlement: Settlement) {
        let (verdict, channel) = take(id)
        perform(verdict, channel, settlement)
    }

    /// Settles the delivery of a run that has ended, or of a copy of its message, once.
    func settle(_ run: TaskRequest, _ settlement: Settlement) -> SettlementVerdict {
        let (verdict, channel) = state.withLock { state -> (SettlementVerdict, (any BrokerChannel)?) in
            let taken = Self.take(run.delivery, &state)
            if case .settle(let epoch, _) = taken.0, settlement == .ack { state.tail.append(epoch, run.key) }
            return taken
        }
        perform(verdict, channel, settlement)
        return verdict
    }

    private func perform(_ verdict: SettlementVerdict, _ channel: (any BrokerChannel)?, _ settlement: Settlement) {
        switch verdict {
        case .settle(_, let tag): channel?.settle(tag, settlement)
        case .stale: counters.staleSettlements.add()
        case .alreadySettled: break
        }
    }

    /// What the loss of a channel leaves behind; each run and each acknowledgement is answered once.
    ///
    /// - Returns: the runs that go on and cannot be settled, and the runs whose acknowledgement may have been lost.
    func remains(of epoch: ChannelEpoch) -> (runs: [TaskRequest], acknowledged: [TaskKey]) {
        state.withLock { ($0.table.takeRuns(of: epoch), $0.tail.take(epoch)) }
    }

    /// The runs that have begun and settle their deliveries at their end.
    var runs: [TaskRequest] { state.withLock { Array($0.table.runs) } }

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
        state.withLock { Self.take(id, &$0) }
    }

    private static func take(_ id: DeliveryID, _ state: inout State) -> (SettlementVerdict, (any BrokerChannel)?) {
        let verdict = state.table.settle(id)
        guard case .settle(let epoch, _) = verdict else { return (verdict, nil) }
        return (verdict, state.channels[epoch])
    }
}
