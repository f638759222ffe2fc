import CeleryProtocol

/// The elections that are going on: which of the workers is to do something that only one must do.
///
/// Every worker that gets the command `election` sends a request, every worker acknowledges every request, and the request of
/// the lowest clock wins (`celery.worker.consumer.gossip`). All have to come to the same answer, whatever the order in which
/// the messages reach them. Celery decides as soon as it has as many acknowledgements as it knows other workers, even while
/// requests are missing. Here a decision waits for the requests of all workers that live, and the acknowledgements, at which
/// Celery's workers decide, are held back until then: so they have all requests, too. A worker that stays silent delays both
/// by `patience`. With no other worker, for which Celery never decides, the only one wins.
struct Elections: Sendable {
    /// One worker's request to be elected.
    struct Request: Sendable, Hashable {
        /// The sender's clock when it sent.
        let clock: Int
        /// The sender's node name.
        let node: String
        /// The sender's process.
        let pid: Int
        /// What kind of thing is to be done.
        let topic: String
        /// What exactly.
        let action: JSONValue

        /// How the candidate is called in the ranking.
        var candidate: String { "\(node).\(pid)" }

        /// Whether it wins against another one: by the lower clock, then by the name as Python orders it.
        func precedes(_ other: Request) -> Bool {
            guard clock == other.clock else { return clock < other.clock }
            return candidate.unicodeScalars.lexicographicallyPrecedes(other.candidate.unicodeScalars)
        }
    }

    /// What is to be done next.
    enum Action: Sendable, Hashable {
        /// Send this worker's request.
        case announce(id: String, topic: String, action: JSONValue)
        /// Send an acknowledgement.
        case acknowledge(id: String)
        /// This worker has won.
        case won(id: String, topic: String, action: JSONValue)
        /// Another worker has.
        case elected(id: String, leader: String)
        /// There are too many at a time, this one is given up.
        case dropped(id: String)
    }

    fileprivate struct Ballot {
        /// Whether this worker takes part.
        var isOurs = false
        var nodes: Set<String> = []
        var first: Request?
        var acknowledgements = 0
        var owed = 0
        let deadline: ContinuousClock.Instant
    }

    /// How long is waited for requests that do not come.
    static let patience = Duration.seconds(2)

    /// How many elections may go on at a time.
    let capacity: Int
    private let node: String
    private let candidate: String
    private var ballots: [String: Ballot] = [:]

    /// - Parameters:
    ///   - node: this worker's name.
    ///   - pid: this worker's process.
    ///   - capacity: how many elections may go on at a time.
    init(node: String, pid: Int, capacity: Int = 64) {
        self.node = node
        self.capacity = capacity
        candidate = "\(node).\(pid)"
    }

    /// When ``expire(_:)`` is worth calling next; nil while nothing goes on.
    var nextDeadline: ContinuousClock.Instant? { ballots.values.map(\.deadline).min() }

    /// This worker takes part in an election.
    mutating func begin(id: String, topic: String, action: JSONValue, now: ContinuousClock.Instant) -> [Action] {
        let dropped = open(id, now)
        ballots[id]?.isOurs = true
        return dropped + [.announce(id: id, topic: topic, action: action)]
    }

    /// A request has come, this worker's own among them.
    mutating func requested(
        id: String,
        _ request: Request,
        alive: Set<String>,
        now: ContinuousClock.Instant
    ) -> [Action] {
        let dropped = open(id, now)
        ballots[id]?.add(request)
        return dropped + advance(id, alive)
    }

    /// An acknowledgement has come, this worker's own among them.
    mutating func acknowledged(id: String, alive: Set<String>) -> [Action] {
        guard ballots[id]?.isOurs == true else { return [] }
        ballots[id]?.acknowledgements += 1
        return advance(id, alive)
    }

    /// Ends the elections whose time is over, with the requests that there are.
    mutating func expire(_ now: ContinuousClock.Instant) -> [Action] {
        ballots.filter { now >= $0.value.deadline }.keys.sorted().flatMap { id in
            guard let ballot = ballots.removeValue(forKey: id) else { return [Action]() }
            return ballot.acknowledge(id) + (ballot.isOurs ? result(id, ballot) : [])
        }
    }

    private mutating func open(_ id: String, _ now: ContinuousClock.Instant) -> [Action] {
        guard ballots[id] == nil else { return [] }
        var dropped: [Action] = []
        if ballots.count >= capacity, let oldest = ballots.min(by: { $0.value.deadline < $1.value.deadline })?.key {
            ballots[oldest] = nil
            dropped = [.dropped(id: oldest)]
        }
        ballots[id] = Ballot(deadline: now + Self.patience)
        return dropped
    }

    private mutating func advance(_ id: String, _ alive: Set<String>) -> [Action] {
        guard var ballot = ballots[id], ballot.isOurs, ballot.nodes.contains(node), alive.isSubset(of: ballot.nodes)
        else { return [] }
        let acknowledgements = ballot.acknowledge(id)
        ballot.owed = 0
        guard ballot.acknowledgements >= max(1, alive.count) else {
            ballots[id] = ballot
            return acknowledgements
        }
        ballots[id] = nil
        return acknowledgements + result(id, ballot)
    }

    private func result(_ id: String, _ ballot: Ballot) -> [Action] {
        guard let first = ballot.first else { return [] }
        guard first.candidate == candidate else { return [.elected(id: id, leader: first.candidate)] }
        return [.won(id: id, topic: first.topic, action: first.action)]
    }
}

extension Elections.Ballot {
    /// More nodes than this are not told apart.
    private static let mostNodes = 5_000

    fileprivate mutating func add(_ request: Elections.Request) {
        if first.map(request.precedes) ?? true { first = request }
        if nodes.count < Self.mostNodes { nodes.insert(request.node) }
        owed += 1
    }

    /// The acknowledgements that were held back.
    fileprivate func acknowledge(_ id: String) -> [Elections.Action] {
        Array(repeating: .acknowledge(id: id), count: owed)
    }
}
