import AMQP
import DequeModule
import Dispatch
import Synchronization

/// The one thread on which a worker deals with its child processes: it waits for their sockets, and runs the slots.
///
/// A child's answer is read, its outcome published and its next task written without another thread being woken. Nothing
/// here may block. The thread lives until all children are gone: the end of the thread that has started a child would
/// end the child.
final class ChildLoop: TaskExecutor {
    private struct State {
        var jobs = Deque<UnownedJob>()
        var handlers: [UInt64: @Sendable () -> Void] = [:]
        var lastToken: UInt64 = 0
        /// The thread waits, or is about to.
        var isAsleep = false
        var isStopped = false
    }

    private let poll: DescriptorPoll
    private let state = Mutex(State())

    /// Makes a loop and starts its thread.
    ///
    /// - Throws: `AMQPError` where the system has no thread or descriptor left.
    init() throws(AMQPError) {
        poll = try DescriptorPoll()
        try DetachedThread.start(name: "swcelery.pool") { self.run() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (isStopped, wakes) = state.withLock { state -> (Bool, Bool) in
            guard !state.isStopped else { return (true, false) }
            state.jobs.append(job)
            defer { state.isAsleep = false }
            return (false, state.isAsleep)
        }
        if wakes { poll.wake() }
        // Nothing of the pool is left then; what comes late still has to come to its end.
        if isStopped { DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) } }
    }

    /// Calls the closure on the loop's thread whenever the descriptor is ready, until it is forgotten.
    ///
    /// - Returns: the number under which it is forgotten; nil where the system refuses.
    func watch(_ descriptor: Int32, _ handler: @escaping @Sendable () -> Void) -> UInt64? {
        let token = state.withLock { state -> UInt64 in
            state.lastToken += 1
            state.handlers[state.lastToken] = handler
            return state.lastToken
        }
        guard !poll.add(descriptor, token: token) else { return token }
        state.withLock { $0.handlers[token] = nil }
        return nil
    }

    /// Calls the closure when the descriptor can be written as well, or no longer.
    func watchWriting(_ descriptor: Int32, _ token: UInt64, _ isWatched: Bool) {
        poll.watchWriting(descriptor, token: token, isWatched)
    }

    /// Ends watching; to be called before the descriptor is closed.
    func forget(_ descriptor: Int32, _ token: UInt64) {
        poll.remove(descriptor)
        state.withLock { $0.handlers[token] = nil }
    }

    /// Ends the thread.
    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.isAsleep = false
        }
        poll.wake()
    }

    private func run() {
        let executor = asUnownedTaskExecutor()
        while true {
            var jobs = state.withLock { state in
                defer { state.jobs = [] }
                return state.jobs
            }
            while let job = jobs.popFirst() { job.runSynchronously(on: executor) }
            let (mustEnd, mayWait) = state.withLock { state -> (Bool, Bool) in
                guard state.jobs.isEmpty else { return (false, false) }
                state.isAsleep = !state.isStopped
                return (state.isStopped, state.isAsleep)
            }
            if mustEnd { return }
            let ready = poll.ready(waiting: mayWait)
            let handlers = state.withLock { state in
                state.isAsleep = false
                return ready.map { ($0, state.handlers[$0]) }
            }
            for (_, handler) in handlers { handler?() }
        }
    }
}
