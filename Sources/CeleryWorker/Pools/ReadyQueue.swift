import DequeModule
import Synchronization

/// The line of requests in front of the slots.
///
/// Slots wake each other: a batch wakes one, and every slot that finds more behind its request wakes the next. So a
/// burst of short tasks does not wake all slots only to find an empty line, while long ones reach every free slot. While
/// bodies are so brief that waking costs more than it brings, a slot at work is left to empty the line alone; should it
/// be held up all the same, others are woken a moment later, twice as many each time.
final class ReadyQueue: Sendable {
    private typealias Slot = CheckedContinuation<Bool, Never>

    private struct State {
        var ready = Deque<TaskRequest>()
        /// Waiting slots.
        ///
        /// The last to wait is woken first: its thread is the warmest.
        var idle: [Slot] = []
        /// Slots that run a request.
        var busy = 0
        /// A slot was woken and has not looked yet; it will wake the next one if there is more.
        var wakeIsUnderWay = false
        /// Requests taken so far.
        var taken: UInt64 = 0
        /// Somebody looks after the line from time to time.
        var isWatched = false
        var isClosed = false
        /// How many slots are to end.
        var excess = 0
        /// What each slot runs.
        var running: [TaskRequest?] = []
        /// Places in `running` that no slot has.
        var freeSlots: [Int] = []
        /// Runs whose ends somebody wants to hear of.
        var watched: [ObjectIdentifier: @Sendable (TaskRequest) -> Void] = [:]

        var hasWorkForMore: Bool { !ready.isEmpty && !idle.isEmpty }

        mutating func slotToWake() -> Slot? {
            guard hasWorkForMore, !wakeIsUnderWay, let slot = idle.popLast() else { return nil }
            wakeIsUnderWay = true
            return slot
        }
    }

    /// What a slot remembers between its requests.
    struct Turn {
        /// How long the body of the last request has taken; nil where there was none.
        var runtime: Duration?
        /// Number of the last request among all.
        fileprivate var lastTaken: UInt64 = 0
        /// The slot's place among all; nil before its first request.
        fileprivate var slot: Int?
    }

    /// What to do about slots that wait while requests do.
    private enum Help {
        case none
        case wake(Slot)
        /// Look again in a moment; so many requests were taken so far.
        case watch(UInt64)
    }

    /// How long a line may stand still before a further slot is woken although bodies are brief.
    private static let patience: Duration = .milliseconds(2)

    private let pace: Pace
    private let state = Mutex(State())

    /// Makes an empty line.
    init(pace: Pace = Pace()) {
        self.pace = pace
    }

    /// Appends requests.
    ///
    /// After `close` they come back as the answer.
    func append(_ requests: [TaskRequest]) -> [TaskRequest] {
        let (help, refused) = state.withLock { state -> (Help, [TaskRequest]) in
            guard !state.isClosed else { return (.none, requests) }
            state.ready.append(contentsOf: requests)
            return (helpNeeded(&state), [])
        }
        give(help)
        return refused
    }

    /// The next request for a slot, waiting for one; nil once the queue is closed.
    ///
    /// Suspends only if there is none.
    ///
    /// - Parameter turn: what the slot remembers between its requests.
    func next(_ turn: inout Turn) async -> TaskRequest? {
        if let runtime = turn.runtime { pace.note(runtime) }
        var wasWoken = false
        while true {
            switch take(&turn, wasWoken: wasWoken) {
            case .request(let request): return request
            case .end: return nil
            case .wait(let evenIfThereIsWork): wasWoken = await wait(evenIfThereIsWork: evenIfThereIsWork)
            }
        }
    }

    private enum Taken {
        case request(TaskRequest)
        case wait(evenIfThereIsWork: Bool)
        case end
    }

    private func take(_ turn: inout Turn, wasWoken: Bool) -> Taken {
        let (ended, taken, help) = state.withLock { state -> (EndedRun?, Taken, Help) in
            let ended = endRun(of: &turn, &state)
            if wasWoken { state.wakeIsUnderWay = false }
            if state.isClosed { return (ended, .end, .none) }
            if state.excess > 0 {
                state.excess -= 1
                if let slot = turn.slot { state.freeSlots.append(slot) }
                return (ended, .end, helpNeeded(&state))
            }
            // Another slot empties the line at present, and is enough for it.
            let isSpare = !wasWoken && state.busy > 0 && state.taken != turn.lastTaken && pace.isBrief
            guard !isSpare, let request = state.ready.popFirst() else {
                return (ended, .wait(evenIfThereIsWork: isSpare), .none)
            }
            beginRun(request, of: &turn, &state)
            return (ended, .request(request), helpNeeded(&state))
        }
        if let ended { ended.report(ended.request) }
        give(help)
        return taken
    }

    private func beginRun(_ request: TaskRequest, of turn: inout Turn, _ state: inout State) {
        state.busy += 1
        state.taken += 1
        turn.lastTaken = state.taken
        if let slot = turn.slot {
            state.running[slot] = request
        } else if let slot = state.freeSlots.popLast() {
            turn.slot = slot
            state.running[slot] = request
        } else {
            turn.slot = state.running.count
            state.running.append(request)
        }
    }

    /// A run that somebody wants to hear of.
    private typealias EndedRun = (request: TaskRequest, report: @Sendable (TaskRequest) -> Void)

    private func endRun(of turn: inout Turn, _ state: inout State) -> EndedRun? {
        guard turn.runtime != nil else { return nil }
        turn.runtime = nil
        state.busy -= 1
        return turn.slot.flatMap { Self.vacate($0, &state) }
    }

    /// Ends the run of a slot that asks for no further request yet.
    func endRun(_ turn: inout Turn) {
        if let runtime = turn.runtime { pace.note(runtime) }
        let ended = state.withLock { endRun(of: &turn, &$0) }
        if let ended { ended.report(ended.request) }
    }

    private static func vacate(_ slot: Int, _ state: inout State) -> EndedRun? {
        defer { state.running[slot] = nil }
        guard !state.watched.isEmpty, let request = state.running[slot],
            let report = state.watched.removeValue(forKey: ObjectIdentifier(request))
        else { return nil }
        return (request, report)
    }

    /// The requests that slots run now.
    var running: [TaskRequest] { state.withLock { $0.running.compactMap { $0 } } }

    /// The running requests that satisfy the condition, each once; of each the closure hears when it has ended.
    func watchRunning(
        where condition: (TaskRequest) -> Bool,
        onEnd report: @escaping @Sendable (TaskRequest) -> Void
    ) -> [TaskRequest] {
        state.withLock { state in
            let found = state.running.compactMap { $0 }.filter {
                state.watched[ObjectIdentifier($0)] == nil && condition($0)
            }
            for request in found { state.watched[ObjectIdentifier(request)] = report }
            return found
        }
    }

    private func wait(evenIfThereIsWork: Bool) async -> Bool {
        await withCheckedContinuation { slot in
            let (mustWait, help) = state.withLock { state -> (Bool, Help) in
                // Without another one at work nobody may turn away from a line that is not empty.
                let isNeeded = !state.ready.isEmpty && !(evenIfThereIsWork && state.busy > 0)
                guard !isNeeded, !state.isClosed, state.excess == 0 else { return (false, .none) }
                state.idle.append(slot)
                return (true, helpNeeded(&state))
            }
            give(help)
            if !mustWait { slot.resume(returning: false) }
        }
    }

    /// How many requests wait.
    var waitingCount: Int { state.withLock { $0.ready.count } }

    /// Takes out the requests that satisfy the condition.
    func remove(where condition: (TaskRequest) -> Bool) -> [TaskRequest] {
        state.withLock { state in
            let removed = state.ready.filter(condition)
            guard !removed.isEmpty else { return [] }
            state.ready.removeAll(where: condition)
            return Array(removed)
        }
    }

    /// Whether the line has ended.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Lets so many slots end: those that wait at once, others after their run.
    func retire(_ count: Int) {
        let slots = state.withLock { state -> [Slot] in
            state.excess += count
            let slots = Array(state.idle.suffix(count))
            state.idle.removeLast(slots.count)
            return slots
        }
        for slot in slots { slot.resume(returning: false) }
    }

    /// Lets so many of the slots stay that were to end and have not; answers how many there are of them.
    func unretire(_ count: Int) -> Int {
        state.withLock { state in
            let kept = min(count, state.excess)
            state.excess -= kept
            return kept
        }
    }

    /// Ends the run of a request in the place of its slot; answers the turn with which another slot goes on there.
    func abandon(_ request: TaskRequest) -> Turn {
        let (turn, ended) = state.withLock { state -> (Turn, EndedRun?) in
            var turn = Turn()
            guard let slot = state.running.firstIndex(where: { $0 === request }) else { return (turn, nil) }
            turn.slot = slot
            state.busy -= 1
            return (turn, Self.vacate(slot, &state))
        }
        if let ended { ended.report(ended.request) }
        return turn
    }

    /// Ends the line: every slot gets nil from now on.
    ///
    /// Answers what was left in it.
    func close() -> [TaskRequest] {
        let (left, slots) = state.withLock { state -> ([TaskRequest], [Slot]) in
            state.isClosed = true
            defer {
                state.ready = []
                state.idle = []
            }
            return (state.ready.isEmpty ? [] : Array(state.ready), state.idle)
        }
        for slot in slots { slot.resume(returning: true) }
        return left
    }
}

// MARK: - Waking

extension ReadyQueue {
    private func helpNeeded(_ state: inout State) -> Help {
        guard state.hasWorkForMore else { return .none }
        if state.busy > 0, pace.isBrief {
            guard !state.isWatched else { return .none }
            state.isWatched = true
            return .watch(state.taken)
        }
        return state.slotToWake().map(Help.wake) ?? .none
    }

    private func give(_ help: Help) {
        switch help {
        case .none: break
        case .wake(let slot): slot.resume(returning: true)
        case .watch(let taken): watch(since: taken, waking: 1)
        }
    }

    private func watch(since taken: UInt64, waking count: Int) {
        Alarm.after(Self.patience) { self.check(since: taken, waking: count) }
    }

    /// Wakes slots if the line has stood still; looks again later if there is still something to look after.
    private func check(since taken: UInt64, waking count: Int) {
        let (slots, seen) = state.withLock { state -> ([Slot], UInt64?) in
            guard state.hasWorkForMore else {
                state.isWatched = false
                return ([], nil)
            }
            guard state.taken == taken else { return ([], state.taken) }
            let slots = Array(state.idle.suffix(count))
            state.idle.removeLast(slots.count)
            return (slots, state.taken)
        }
        // They count as woken: a slot that merely looks around would find itself spare again.
        for slot in slots { slot.resume(returning: true) }
        if let seen { watch(since: seen, waking: slots.isEmpty ? 1 : count * 2) }
    }
}
