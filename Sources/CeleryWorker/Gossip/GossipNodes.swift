/// Which other workers there are, by their events.
///
/// It knows no clock: whoever asks says what time it is. Source of the rules: `celery.worker.consumer.gossip` and the workers'
/// part of `celery.events.state`. Unlike there, the number of nodes is bounded by forgetting the one that was silent for
/// longest.
struct GossipNodes: Sendable {
    /// What an event, or the lack of one, says about a node.
    enum Change: Sendable, Hashable {
        /// It is there, or was started again.
        case joined(String)
        /// It has said that it ends.
        case left(String)
        /// Its heartbeats are missing.
        case lost(String)
        /// It was forgotten, since there are too many.
        case forgotten(String)
    }

    /// After this many intervals without a heartbeat a node counts as dead.
    private static let expiryFactor = 2.0
    /// The bounds of an interval that a stranger sends.
    private static let intervals = 0.01...86_400.0
    /// The interval of a node that has not told it.
    private static let usualInterval = 60.0

    /// How many nodes are known at most.
    let capacity: Int
    private var expiries: [String: ContinuousClock.Instant] = [:]

    init(capacity: Int = 5_000) { self.capacity = capacity }

    /// The names of the nodes that live as far as is known.
    func alive(_ now: ContinuousClock.Instant) -> Set<String> {
        Set(expiries.lazy.filter { now < $0.value }.map(\.key))
    }

    /// A node has sent an event other than its last one.
    ///
    /// - Parameters:
    ///   - node: the node's name.
    ///   - interval: the seconds from one of its heartbeats to the next; nil where the event does not tell.
    ///   - isStart: whether it has just started.
    ///   - now: the time.
    mutating func heard(
        from node: String,
        interval: Double?,
        isStart: Bool,
        now: ContinuousClock.Instant
    ) -> [Change] {
        let isNew = expiries[node] == nil
        let forgotten = isNew ? makeRoom() : nil
        let seconds = (interval ?? Self.usualInterval).clamped(to: Self.intervals) * Self.expiryFactor
        expiries[node] = now + .seconds(seconds)
        return (forgotten.map { [.forgotten($0)] } ?? []) + (isNew || isStart ? [.joined(node)] : [])
    }

    /// A node has said that it ends.
    mutating func left(_ node: String) -> [Change] {
        expiries.removeValue(forKey: node) == nil ? [] : [.left(node)]
    }

    /// Forgets the nodes whose heartbeats are missing.
    mutating func check(_ now: ContinuousClock.Instant) -> [Change] {
        let lost = expiries.filter { now >= $0.value }.keys.sorted()
        for node in lost { expiries[node] = nil }
        return lost.map { .lost($0) }
    }

    private mutating func makeRoom() -> String? {
        guard expiries.count >= capacity, let oldest = expiries.min(by: { $0.value < $1.value })?.key else {
            return nil
        }
        expiries[oldest] = nil
        return oldest
    }
}

extension Double {
    /// The nearest number within the bounds; the lower one for what is no number.
    fileprivate func clamped(to bounds: ClosedRange<Double>) -> Double {
        isNaN ? bounds.lowerBound : min(max(self, bounds.lowerBound), bounds.upperBound)
    }
}
