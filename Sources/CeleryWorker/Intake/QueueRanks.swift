/// The order of a worker's queues where they are served strictly: a task of a later queue starts only while none of an
/// earlier one waits in the worker.
struct QueueRanks: Sendable {
    private var ranks: [String: Int]

    /// Makes the order of these queues, the most urgent first.
    init(_ queues: [String]) {
        ranks = Dictionary(zip(queues, 0...), uniquingKeysWith: { first, _ in first })
    }

    /// The rank of a queue; one that is not known yet comes behind all others.
    mutating func rank(of queue: String) -> Int {
        if let rank = ranks[queue] { return rank }
        let rank = ranks.count
        ranks[queue] = rank
        return rank
    }
}
