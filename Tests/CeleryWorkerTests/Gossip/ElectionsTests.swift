import CeleryProtocol
import Testing

@testable import CeleryWorker

/// How workers agree on one of them.
@Suite struct ElectionsTests {
    private let start = ContinuousClock.now
    private let action: JSONValue = ["task": "tasks.add"]

    private func request(_ node: String, clock: Int, pid: Int = 1) -> Elections.Request {
        Elections.Request(clock: clock, node: node, pid: pid, topic: "task", action: action)
    }

    @Test func theLowerClockWinsThenTheName() {
        #expect(request("b@h", clock: 1).precedes(request("a@h", clock: 2)))
        #expect(request("a@h", clock: 2).precedes(request("b@h", clock: 2)))
        #expect(request("a@h", clock: 2, pid: 10).precedes(request("a@h", clock: 2, pid: 9)))
        #expect(!request("a@h", clock: 2).precedes(request("a@h", clock: 2)))
        // As Python orders texts, by code points: "Z" < "a" < "é" < "z" is none of its orders.
        #expect(request("Z@h", clock: 2).precedes(request("a@h", clock: 2)))
        #expect(request("z@h", clock: 2).precedes(request("é@h", clock: 2)))
    }

    @Test func theOnlyOneWins() {
        var elections = Elections(node: "a@h", pid: 1)
        let begun = elections.begin(id: "e", topic: "task", action: action, now: start)
        #expect(begun == [.announce(id: "e", topic: "task", action: action)])
        let requested = elections.requested(id: "e", request("a@h", clock: 5), alive: [], now: start)
        #expect(requested == [.acknowledge(id: "e")])
        let acknowledged = elections.acknowledged(id: "e", alive: [])
        #expect(acknowledged == [.won(id: "e", topic: "task", action: action)])
        let late = elections.acknowledged(id: "e", alive: [])
        #expect(late.isEmpty)
        #expect(elections.nextDeadline == nil)
    }

    /// Acknowledgements of others that come too early are none of a complete election.
    @Test func nothingIsDecidedBeforeAllHaveSpoken() {
        var elections = Elections(node: "a@h", pid: 1)
        _ = elections.begin(id: "e", topic: "task", action: action, now: start)
        let own = elections.requested(id: "e", request("a@h", clock: 5), alive: ["b@h"], now: start)
        #expect(own.isEmpty)
        let early = elections.acknowledged(id: "e", alive: ["b@h"])
        #expect(early.isEmpty)
        let other = elections.requested(id: "e", request("b@h", clock: 4), alive: ["b@h"], now: start)
        #expect(
            other == [.acknowledge(id: "e"), .acknowledge(id: "e"), .elected(id: "e", leader: "b@h.1")]
        )
    }

    /// A request that comes before the command itself counts.
    @Test func theCommandMayComeLast() {
        var elections = Elections(node: "a@h", pid: 1)
        let early = elections.requested(id: "e", request("b@h", clock: 4), alive: ["b@h"], now: start)
        #expect(early.isEmpty)
        let ignored = elections.acknowledged(id: "e", alive: ["b@h"])
        #expect(ignored.isEmpty)
        _ = elections.begin(id: "e", topic: "task", action: action, now: start)
        let own = elections.requested(id: "e", request("a@h", clock: 3), alive: ["b@h"], now: start)
        #expect(own == [.acknowledge(id: "e"), .acknowledge(id: "e")])
        let decided = elections.acknowledged(id: "e", alive: ["b@h"])
        #expect(decided == [.won(id: "e", topic: "task", action: action)])
    }

    @Test func aSilentWorkerOnlyCostsTime() {
        var elections = Elections(node: "a@h", pid: 1)
        _ = elections.begin(id: "e", topic: "task", action: action, now: start)
        _ = elections.requested(id: "e", request("a@h", clock: 5), alive: ["b@h"], now: start)
        let early = elections.expire(start + .seconds(1))
        #expect(early.isEmpty)
        let decided = elections.expire(start + Elections.patience)
        #expect(decided == [.acknowledge(id: "e"), .won(id: "e", topic: "task", action: action)])
        #expect(elections.nextDeadline == nil)
    }

    /// A worker that does not get commands acknowledges, and keeps nothing.
    @Test func anElectionOfOthersIsForgotten() {
        var elections = Elections(node: "a@h", pid: 1)
        _ = elections.requested(id: "e", request("b@h", clock: 4), alive: ["b@h"], now: start)
        let expired = elections.expire(start + Elections.patience)
        #expect(expired == [.acknowledge(id: "e")])
        #expect(elections.nextDeadline == nil)
    }

    @Test func theNumberIsBounded() {
        var elections = Elections(node: "a@h", pid: 1, capacity: 2)
        _ = elections.begin(id: "e1", topic: "task", action: action, now: start)
        _ = elections.begin(id: "e2", topic: "task", action: action, now: start + .seconds(1))
        let third = elections.begin(id: "e3", topic: "task", action: action, now: start + .seconds(1))
        #expect(third.first == .dropped(id: "e1"))
    }

    /// Three workers, every message to all of them, in any order that keeps each sender's own: all agree.
    @Test(arguments: 0..<200)
    func allAgree(seed: Int) {
        var fleet = Fleet(["a@h", "b@h", "c@h"], seed: UInt64(seed))
        fleet.hold("e")
        #expect(fleet.winners.count == 1)
        #expect(fleet.decisions == 3)
    }
}

/// Workers whose messages are delivered in an order of chance.
private struct Fleet {
    private enum Message {
        case command
        case request(Elections.Request)
        case acknowledgement
    }

    private let names: [String]
    private var elections: [Elections]
    /// What waits for each worker, from each sender; the last sender is the operator.
    private var queues: [[[Message]]]
    private var random: UInt64
    private(set) var winners: [String] = []
    private(set) var decisions = 0

    init(_ names: [String], seed: UInt64) {
        self.names = names
        elections = names.map { Elections(node: $0, pid: 1) }
        queues = names.map { _ in Array(repeating: [], count: names.count + 1) }
        random = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func hold(_ id: String) {
        for worker in names.indices { queues[worker][names.count].append(.command) }
        while let (worker, sender) = pick() { deliver(queues[worker][sender].removeFirst(), to: worker, id) }
    }

    private mutating func pick() -> (Int, Int)? {
        let waiting = queues.indices.flatMap { worker in
            queues[worker].indices.filter { !queues[worker][$0].isEmpty }.map { (worker, $0) }
        }
        guard !waiting.isEmpty else { return nil }
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return waiting[Int(random % UInt64(waiting.count))]
    }

    private mutating func deliver(_ message: Message, to worker: Int, _ id: String) {
        let alive = Set(names).subtracting([names[worker]])
        let now = ContinuousClock.now
        let actions =
            switch message {
            case .command: elections[worker].begin(id: id, topic: "task", action: .null, now: now)
            case .request(let request): elections[worker].requested(id: id, request, alive: alive, now: now)
            case .acknowledgement: elections[worker].acknowledged(id: id, alive: alive)
            }
        for action in actions { perform(action, worker) }
    }

    private mutating func perform(_ action: Elections.Action, _ worker: Int) {
        switch action {
        case .announce(_, let topic, let action):
            let clock = Int(random % 3)
            let request = Elections.Request(clock: clock, node: names[worker], pid: 1, topic: topic, action: action)
            send(.request(request), from: worker)
        case .acknowledge: send(.acknowledgement, from: worker)
        case .won:
            winners.append(names[worker])
            decisions += 1
        case .elected: decisions += 1
        case .dropped: break
        }
    }

    private mutating func send(_ message: Message, from sender: Int) {
        for worker in names.indices { queues[worker][sender].append(message) }
    }
}
