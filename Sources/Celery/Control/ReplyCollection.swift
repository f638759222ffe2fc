internal import CeleryProtocol

/// The replies to one request, and when there are enough of them: a value without a clock of its own.
///
/// Source of the rules: `kombu.pidbox.Mailbox._collect`: so many replies, or none for so long.
struct ReplyCollection: Sendable {
    /// Most replies that are kept of one request.
    static let bound = 10_000

    private(set) var replies: [ControlReply] = []
    private let limit: Int
    private let patience: Duration
    private var lastChange: ContinuousClock.Instant

    /// Begins to collect.
    ///
    /// - Parameters:
    ///   - limit: how many replies are enough; nil for any number.
    ///   - patience: how long to wait for a further one.
    ///   - now: the time.
    init(limit: Int?, patience: Duration, now: ContinuousClock.Instant) {
        self.limit = min(limit ?? Self.bound, Self.bound)
        self.patience = patience
        lastChange = now
    }

    /// Whether there are as many replies as wanted.
    var isFull: Bool { replies.count >= limit }

    /// The request is on its way only now.
    mutating func begin(now: ContinuousClock.Instant) {
        lastChange = now
    }

    /// Takes a reply in.
    ///
    /// - Returns: whether it was wanted.
    mutating func receive(_ reply: ControlReply, now: ContinuousClock.Instant) -> Bool {
        guard !isFull else { return false }
        replies.append(reply)
        lastChange = now
        return true
    }

    /// How much longer to wait; nil when the collection is over.
    func wait(now: ContinuousClock.Instant) -> Duration? {
        let left = now.duration(to: lastChange + patience)
        return isFull || left <= .zero ? nil : left
    }
}
