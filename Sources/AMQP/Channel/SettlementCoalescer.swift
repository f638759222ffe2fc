/// Turns settlements of one channel into as few methods as AMQP allows: acks without a gap become one `multiple`.
///
/// A pure state machine. Delivery tags count from 1 without a gap; each is settled once, a second time is ignored.
struct SettlementCoalescer: Sendable {
    /// A method to send.
    enum Method: Sendable, Hashable {
        case ack(tag: UInt64, multiple: Bool)
        case reject(tag: UInt64, requeue: Bool)
        case nack(tag: UInt64, requeue: Bool)
    }

    /// All tags up to here are settled at the broker.
    private var floor: UInt64 = 0
    /// Settled tags above the floor.
    private var above: Set<UInt64> = []
    /// The highest tag that was delivered.
    private var highest: UInt64 = 0
    private var acks: [UInt64] = []
    private var rejects: [Method] = []

    /// Deliveries that have not been settled.
    var unsettledCount: Int { Int(clamping: highest - floor) - above.count }

    /// Takes note of a delivery; one that needs no ack counts as settled.
    mutating func delivered(_ tag: UInt64, noAck: Bool) {
        highest = max(highest, tag)
        if noAck { mark(tag) }
    }

    /// Takes a settlement of the owner's; false where the tag is settled already or was never delivered.
    mutating func settle(_ tag: UInt64, _ settlement: Settlement) -> Bool {
        guard tag > floor, tag <= highest, above.insert(tag).inserted else { return false }
        switch settlement {
        case .ack: acks.append(tag)
        case .reject(let requeue): rejects.append(.reject(tag: tag, requeue: requeue))
        case .nack(let requeue): rejects.append(.nack(tag: tag, requeue: requeue))
        }
        return true
    }

    /// The methods for all settlements since the last call, in the order in which they must be sent.
    mutating func flush() -> [Method] {
        guard !acks.isEmpty || !rejects.isEmpty else { return [] }
        // Rejects go first, so that no `multiple` ack covers them.
        var methods = rejects
        rejects.removeAll(keepingCapacity: true)
        advanceFloor()
        var covered: UInt64 = 0
        var single: [UInt64] = []
        for tag in acks {
            if tag <= floor { covered = max(covered, tag) } else { single.append(tag) }
        }
        let coveredCount = acks.count - single.count
        acks.removeAll(keepingCapacity: true)
        if coveredCount > 0 { methods.append(.ack(tag: covered, multiple: coveredCount > 1)) }
        methods.append(contentsOf: single.map { .ack(tag: $0, multiple: false) })
        return methods
    }

    private mutating func mark(_ tag: UInt64) {
        guard tag > floor else { return }
        above.insert(tag)
        if acks.isEmpty, rejects.isEmpty { advanceFloor() }
    }

    private mutating func advanceFloor() {
        while above.remove(floor + 1) != nil { floor += 1 }
    }
}
