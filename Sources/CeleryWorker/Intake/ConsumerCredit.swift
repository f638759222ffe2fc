/// When a consumer has to be replaced because parked tasks hold too much of its prefetch credit.
///
/// QoS counts per consumer. Deliveries that wait for their `eta` stay unsettled and would fill the credit, so that tasks
/// which are due now wait behind them. A new consumer on the same channel has fresh credit; the deliveries of the old
/// one stay valid on the channel and no longer count. Pure: `QueueConsumer` performs what this says.
struct ConsumerCredit: Sendable {
    private let prefetch: Int
    private var current: String
    /// Parked deliveries by the tag of the consumer that brought them.
    private var parked: [String: Int] = [:]
    private var isReplacing = false

    /// Makes the count of a consumer; a prefetch of 0 has no bound and needs no replacement.
    init(prefetch: Int, consumerTag: String) {
        self.prefetch = prefetch
        current = consumerTag
    }

    /// Counts a delivery as parked.
    mutating func park(_ consumerTag: String) { parked[consumerTag, default: 0] += 1 }

    /// Counts a parked delivery as handed over.
    mutating func unpark(_ consumerTag: String) {
        guard let count = parked[consumerTag] else { return }
        parked[consumerTag] = count > 1 ? count - 1 : nil
    }

    /// Whether the consumer is to be replaced now; answers true once until `replaced` is called.
    mutating func shouldReplace() -> Bool {
        guard prefetch > 0, !isReplacing, parked[current, default: 0] * 2 >= prefetch else { return false }
        isReplacing = true
        return true
    }

    /// A new consumer has taken over, or could not be started (nil).
    mutating func replaced(by consumerTag: String?) {
        isReplacing = false
        if let consumerTag { current = consumerTag }
    }
}
