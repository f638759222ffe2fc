internal import DequeModule
internal import Synchronization

/// A number of slots that are taken and given back; who finds none waits in line, and leaves the line when cancelled.
package final class SlotPool: Sendable {
    fileprivate struct Waiter {
        var ticket: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    fileprivate struct State {
        var free: Int
        var line: Deque<Waiter> = []
        var nextTicket = 0
        var drains: [CheckedContinuation<Void, Never>] = []
    }

    private let capacity: Int
    private let state: Mutex<State>

    package init(capacity: Int) {
        self.capacity = max(capacity, 1)
        state = Mutex(State(free: max(capacity, 1)))
    }

    /// Takes a slot, waiting for one where necessary.
    ///
    /// - Throws: ``CeleryError/Code/cancelled``.
    package func acquire() async throws(CeleryError) {
        if state.withLock({ $0.takeFree() }) { return }
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        let granted = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in enter(Waiter(ticket: ticket, continuation: continuation)) }
        } onCancel: {
            leave(ticket)
        }
        if !granted { throw .waitCancelled }
    }

    /// Gives a slot back.
    package func release() {
        let (next, drains): (Waiter?, [CheckedContinuation<Void, Never>]) = state.withLock { state in
            if let next = state.line.popFirst() { return (next, []) }
            state.free += 1
            guard state.free == capacity else { return (nil, []) }
            defer { state.drains = [] }
            return (nil, state.drains)
        }
        next?.continuation.resume(returning: true)
        for drain in drains { drain.resume() }
    }

    /// Waits until no slot is taken.
    package func drained() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = state.withLock { state in
                if state.free < capacity { state.drains.append(continuation) }
                return state.free == capacity
            }
            if isIdle { continuation.resume() }
        }
    }

    private func enter(_ waiter: Waiter) {
        let granted = state.withLock { state in
            if state.takeFree() { return true }
            state.line.append(waiter)
            return false
        }
        if granted {
            waiter.continuation.resume(returning: true)
        } else if Task.isCancelled {
            // The cancellation handler may have run before the waiter was there to be found.
            leave(waiter.ticket)
        }
    }

    private func leave(_ ticket: Int) {
        let waiter: Waiter? = state.withLock { state in
            guard let index = state.line.firstIndex(where: { $0.ticket == ticket }) else { return nil }
            return state.line.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}

extension SlotPool.State {
    fileprivate mutating func takeFree() -> Bool {
        guard free > 0 else { return false }
        free -= 1
        return true
    }
}
