import DequeModule
import Synchronization

/// The line of requests in front of the slots.
///
/// Slots wake each other: a batch wakes one, and every slot that finds more behind its request wakes the next. So a
/// burst of short tasks does not wake all slots only to find an empty line, while long ones reach every free slot.
final class ReadyQueue: Sendable {
    private struct State {
        var ready = Deque<TaskRequest>()
        /// Waiting slots.
        ///
        /// The last to wait is woken first: its thread is the warmest.
        var idle: [CheckedContinuation<Bool, Never>] = []
        /// A slot was woken and has not looked yet; it will wake the next one if there is more.
        var wakeIsUnderWay = false
        var isClosed = false

        mutating func slotToWake() -> CheckedContinuation<Bool, Never>? {
            guard !ready.isEmpty, !wakeIsUnderWay, let slot = idle.popLast() else { return nil }
            wakeIsUnderWay = true
            return slot
        }
    }

    private let state = Mutex(State())

    /// Appends requests.
    ///
    /// After `close` they come back as the answer.
    func append(_ requests: [TaskRequest]) -> [TaskRequest] {
        let (slot, refused) = state.withLock { state -> (CheckedContinuation<Bool, Never>?, [TaskRequest]) in
            guard !state.isClosed else { return (nil, requests) }
            state.ready.append(contentsOf: requests)
            return (state.slotToWake(), [])
        }
        slot?.resume(returning: true)
        return refused
    }

    /// The next request for a slot, waiting for one; nil once the queue is closed.
    ///
    /// Suspends only if there is none.
    func next() async -> TaskRequest? {
        var wasWoken = false
        while true {
            let (request, isClosed) = take(wasWoken: wasWoken)
            if request != nil || isClosed { return request }
            wasWoken = await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state -> Bool in
                    guard state.ready.isEmpty, !state.isClosed else { return false }
                    state.idle.append(continuation)
                    return true
                }
                if !mustWait { continuation.resume(returning: false) }
            }
        }
    }

    private func take(wasWoken: Bool) -> (request: TaskRequest?, isClosed: Bool) {
        let (request, isClosed, slot) = state.withLock { state in
            if wasWoken { state.wakeIsUnderWay = false }
            let request = state.ready.popFirst()
            return (request, state.isClosed, state.slotToWake())
        }
        slot?.resume(returning: true)
        return (request, isClosed)
    }

    /// Takes out the requests that satisfy the condition.
    func remove(where condition: (TaskRequest) -> Bool) -> [TaskRequest] {
        state.withLock { state in
            let removed = state.ready.filter(condition)
            guard !removed.isEmpty else { return [] }
            state.ready.removeAll(where: condition)
            return Array(removed)
        }
    }

    /// Ends the line: every slot gets nil from now on.
    ///
    /// Answers what was left in it.
    func close() -> [TaskRequest] {
        let (left, slots) = state.withLock { state -> ([TaskRequest], [CheckedContinuation<Bool, Never>]) in
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
