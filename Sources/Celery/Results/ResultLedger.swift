internal import DequeModule

/// What a client knows of its tasks: their states, who waits for them, and results that nobody has asked for yet.
///
/// Pure: it answers what is to be done, and whoever holds it does that outside of its lock.
struct ResultLedger {
    /// How a task ended for those who wait: its final message (or that of a revoked task before it in a chain), or why
    /// there will be none.
    typealias Outcome = Result<ResultMessage, CeleryError>
    typealias Waiter = CheckedContinuation<Outcome, Never>
    typealias Subscriber = AsyncThrowingStream<TaskUpdate, any Error>.Continuation

    /// What is to be done.
    enum Action {
        case resume(Waiter, Outcome)
        case yield(Subscriber, TaskUpdate)
        case finish(Subscriber, CeleryError?)
        case report(Report)
    }

    /// What is worth a line in the log.
    enum Report: Equatable {
        case dropped(total: Int)
        case late(id: String, state: TaskState)
    }

    private struct Entry {
        /// How many handles there are.
        var interests = 0
        /// Ids of tasks that come after this one in its chains.
        var followers: [ArraySlice<String>] = []
        /// The updates so far, for whoever begins to read late.
        var history: Deque<TaskUpdate> = []
        var outcome: Outcome?
        var waiters: [UInt64: Waiter] = [:]
        var subscribers: [UInt64: Subscriber] = [:]
    }

    private var entries: [String: Entry] = [:]
    private var unclaimed: UnclaimedResults
    private var nextTicket: UInt64 = 0
    private var closed: CeleryError?
    /// Messages that came after their task's final one, or were equal to it.
    private(set) var lateCount = 0

    init(unclaimed: UnclaimedResults = UnclaimedResults()) {
        self.unclaimed = unclaimed
    }

    /// How many wait for a result.
    var waiterCount: Int { entries.values.reduce(0) { $0 + $1.waiters.count } }
    /// How many read states.
    var subscriberCount: Int { entries.values.reduce(0) { $0 + $1.subscribers.count } }
    /// How many tasks have a handle.
    var entryCount: Int { entries.count }
    /// How many messages are kept for tasks without handle.
    var unclaimedCount: Int { unclaimed.count }
    /// How many of them were dropped.
    var droppedCount: Int { unclaimed.dropped }

    /// A handle for these tasks came into being: a single task, or a chain's, first to last.
    mutating func register(_ lineage: [String]) -> [Action] {
        for (index, id) in lineage.enumerated() {
            entries[id, default: Entry()].interests += 1
            let followers = lineage[(index + 1)...]
            if !followers.isEmpty { entries[id]?.followers.append(followers) }
        }
        var actions: [Action] = []
        for id in lineage {
            for message in unclaimed.remove(id) { actions += receive(message, bytes: 0) }
        }
        return actions
    }

    /// A handle for these tasks is gone.
    ///
    /// Without any, the task is forgotten; whoever waits then does so in vain.
    mutating func unregister(_ lineage: [String]) -> [Action] {
        var actions: [Action] = []
        for id in lineage {
            guard var entry = entries[id] else { continue }
            entry.interests -= 1
            if entry.interests == 0 {
                actions += Self.settle(&entry, .failure(.unknownTask), error: .unknownTask)
            }
            entries[id] = entry.interests > 0 ? entry : nil
        }
        return actions
    }

    /// A ticket for `wait` or `subscribe`, to withdraw it by.
    mutating func makeTicket() -> UInt64 {
        nextTicket += 1
        return nextTicket
    }

    /// Someone waits for a task's end; answers the outcome if it is known, and then keeps no waiter.
    mutating func wait(_ id: String, _ ticket: UInt64, _ waiter: Waiter) -> Outcome? {
        if let outcome = entries[id]?.outcome { return outcome }
        if let closed { return .failure(closed) }
        entries[id]?.waiters[ticket] = waiter
        return entries[id] == nil ? .failure(.unknownTask) : nil
    }

    /// A waiter gives up.
    mutating func withdraw(_ id: String, _ ticket: UInt64) -> Waiter? {
        entries[id]?.waiters.removeValue(forKey: ticket)
    }

    /// Someone reads a task's states.
    mutating func subscribe(_ id: String, _ ticket: UInt64, _ subscriber: Subscriber) -> [Action] {
        guard let entry = entries[id] else { return [.finish(subscriber, .unknownTask)] }
        var actions: [Action] = []
        for update in entry.history { actions.append(.yield(subscriber, update)) }
        switch entry.outcome {
        case .success?:
            actions.append(.finish(subscriber, nil))
        case .failure(let error)?:
            actions.append(.finish(subscriber, error))
        case nil where closed != nil:
            actions.append(.finish(subscriber, closed))
        case nil:
            entries[id]?.subscribers[ticket] = subscriber
        }
        return actions
    }

    /// A reader of states is gone.
    mutating func unsubscribe(_ id: String, _ ticket: UInt64) {
        entries[id]?.subscribers[ticket] = nil
    }

    /// The latest update of a task; nil where nothing is known.
    func latest(_ id: String) -> TaskUpdate? { entries[id]?.history.last }

    /// A result message came in.
    ///
    /// The first final one of a task stands; what comes after it changes nothing.
    mutating func receive(_ message: ResultMessage, bytes: Int) -> [Action] {
        let id = message.taskID
        guard var entry = entries[id] else {
            if closed != nil { return [] }
            return unclaimed.insert(message, bytes: bytes) > 0 ? [.report(.dropped(total: unclaimed.dropped))] : []
        }
        if case .success? = entry.outcome {
            lateCount += 1
            return [.report(.late(id: id, state: message.state))]
        }
        var actions = Self.note(&entry, message)
        if message.state.isReady {
            actions += Self.settle(&entry, .success(message), error: nil)
            entries[id] = entry
            if message.state == .revoked { actions += revoke(entry.followers, because: message) }
        } else {
            entries[id] = entry
        }
        return actions
    }

    /// A message came in that cannot be read; the task's id is known from its properties, or not.
    mutating func receiveMalformed(_ id: String?, _ error: CeleryError) -> [Action] {
        guard let id, var entry = entries[id], entry.outcome == nil else { return [] }
        let actions = Self.settle(&entry, .failure(error), error: error)
        entries[id] = entry
        return actions
    }

    /// No further messages will come.
    mutating func close(_ error: CeleryError) -> [Action] {
        closed = error
        unclaimed.removeAll()
        var actions: [Action] = []
        for id in entries.keys {
            guard var entry = entries[id], entry.outcome == nil else { continue }
            actions += Self.settle(&entry, .failure(error), error: error)
            entries[id] = entry
        }
        return actions
    }

    /// A revoked task's followers never run, and no worker says so to who waits for them.
    private mutating func revoke(_ followers: [ArraySlice<String>], because message: ResultMessage) -> [Action] {
        var actions: [Action] = []
        for id in followers.joined() {
            guard var entry = entries[id], entry.outcome == nil else { continue }
            actions += Self.note(&entry, message)
            actions += Self.settle(&entry, .success(message), error: nil)
            entries[id] = entry
        }
        return actions
    }

    /// Adds an update to the task's history and tells it to who reads.
    private static func note(_ entry: inout Entry, _ message: ResultMessage) -> [Action] {
        let update = TaskUpdate(message)
        if entry.history.count == TaskUpdates.historySize { entry.history.removeFirst() }
        entry.history.append(update)
        return entry.subscribers.values.map { .yield($0, update) }
    }

    private static func settle(_ entry: inout Entry, _ outcome: Outcome, error: CeleryError?) -> [Action] {
        entry.outcome = outcome
        var actions: [Action] = entry.waiters.values.map { .resume($0, outcome) }
        actions += entry.subscribers.values.map { .finish($0, error) }
        entry.waiters = [:]
        entry.subscribers = [:]
        return actions
    }
}

extension CeleryError {
    /// A handle that is gone was asked.
    fileprivate static var unknownTask: CeleryError { CeleryError(.closed, "the task's handle is gone") }
}
