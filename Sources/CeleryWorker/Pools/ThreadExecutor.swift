import AMQP
import DequeModule
import Dispatch
import Synchronization

/// Runs Swift tasks on threads of its own.
///
/// As many threads run at a time as there are processors, since more would only get into each other's way. When all of
/// them are held up, so that no waiting job was taken for a moment, their number doubles, up to a limit. A task body
/// that blocks its thread (a database driver in C, a long computation) thus costs one thread of this executor, and
/// starves neither Swift's global pool nor the other executors of the worker. Threads that were idle for a while end.
///
/// The threads are none of Dispatch's: that has a limited number for the whole process, and one that waits for work here
/// would be missing for timers and signals.
final class ThreadExecutor: TaskExecutor {
    private struct State {
        var jobs = Deque<UnownedJob>()
        /// Threads that run jobs, or were told to.
        var running = 0
        /// Threads that wait and were not told anything.
        var idle = 0
        /// How many threads may run now.
        var allowance: Int
        /// Jobs taken so far.
        var taken: UInt64 = 0
        var isWatched = false
        /// How often the allowance has grown.
        var growth = 0
        /// How many threads may exist at once.
        var maxThreads: Int
        /// How many run at once as long as none is held up.
        var usualThreads: Int
        /// Threads that are held up for good.
        var lost = 0

        var limit: Int { maxThreads + lost }

        /// Claims a thread for a waiting job; nil if no further thread may run.
        mutating func claim() -> Wake? {
            guard running < allowance else { return nil }
            running += 1
            guard idle > 0 else { return .newThread }
            idle -= 1
            return .idleThread
        }
    }

    private enum Wake {
        case idleThread
        case newThread
    }

    /// How long waiting jobs may be left lying before a further thread is allowed.
    private static let patience: Duration = .milliseconds(5)
    /// How long threads beyond the processors are allowed after they were needed.
    private static let relapse: Duration = .seconds(10)

    private let label: String
    private let idleLimit: Duration
    private let state: Mutex<State>
    private let waiting = Atomic<Int>(0)
    private let wake = DispatchSemaphore(value: 0)

    /// Makes an executor without threads.
    ///
    /// - Parameters:
    ///   - label: the threads' name, for debuggers; its first 15 bytes show.
    ///   - maxThreads: how many threads may exist at once; at least one.
    ///   - usualThreads: how many threads run at once as long as none is held up.
    ///   - idleLimit: how long a thread waits for work before it ends.
    init(label: String, maxThreads: Int, usualThreads: Int, idleLimit: Duration = .seconds(10)) {
        self.label = label
        self.idleLimit = idleLimit
        let maxThreads = max(1, maxThreads)
        let usualThreads = min(max(1, usualThreads), maxThreads)
        state = Mutex(State(allowance: usualThreads, maxThreads: maxThreads, usualThreads: usualThreads))
    }

    /// How many threads exist now.
    var threadCount: Int { state.withLock { $0.running + $0.idle } }

    /// Whether jobs wait for a thread: who has run for long should let them.
    var hasWaitingJobs: Bool { waiting.load(ordering: .relaxed) > 0 }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        waiting.wrappingAdd(1, ordering: .relaxed)
        let (wake, watch) = state.withLock { state -> (Wake?, UInt64?) in
            state.jobs.append(job)
            if let wake = state.claim() { return (wake, nil) }
            guard !state.isWatched, state.allowance < state.limit else { return (nil, nil) }
            state.isWatched = true
            return (nil, state.taken)
        }
        if let wake { perform(wake) }
        if let watch { self.watch(since: watch) }
    }

    /// Changes how many threads may exist at once; those beyond it end when they are idle.
    func allow(_ maxThreads: Int) {
        state.withLock { $0.maxThreads = max($0.usualThreads, maxThreads) }
    }

    /// Allows a thread more, in place of one that may be held up for good.
    func compensate() {
        state.withLock { state in
            state.lost += 1
            state.allowance += 1
        }
    }

    /// Takes the additional thread back: the one that was held up is free again.
    func relieve() {
        state.withLock { state in
            state.lost = max(0, state.lost - 1)
            state.allowance = max(state.usualThreads, state.allowance - 1)
        }
    }

    private func perform(_ wake: Wake) {
        switch wake {
        case .idleThread: self.wake.signal()
        case .newThread: startThread()
        }
    }

    private func startThread() {
        do {
            try DetachedThread.start(name: label) { self.runThread() }
        } catch {
            // The system has no thread left; Dispatch may have one that is idle, or will have.
            DispatchQueue(label: label).async { self.runThread() }
        }
    }
}

// MARK: - Threads

extension ThreadExecutor {
    private func runThread() {
        let executor = asUnownedTaskExecutor()
        while true {
            while let job = nextJob() { job.runSynchronously(on: executor) }
            if wake.wait(timeout: .now() + idleLimit.dispatchInterval) == .success { continue }
            if retire() { return }
            wake.wait()
        }
    }

    /// The next job; without one the calling thread counts as idle from now on.
    private func nextJob() -> UnownedJob? {
        state.withLock { state in
            guard let job = state.jobs.popFirst() else {
                state.running -= 1
                state.idle += 1
                return nil
            }
            state.taken += 1
            waiting.wrappingSubtract(1, ordering: .relaxed)
            return job
        }
    }

    /// Takes the calling thread out of the pool; false if a signal is on the way to it.
    private func retire() -> Bool {
        state.withLock { state in
            guard state.idle > 0 else { return false }
            state.idle -= 1
            return true
        }
    }
}

// MARK: - Growth

extension ThreadExecutor {
    /// Looks again in a moment whether waiting jobs are taken.
    private func watch(since taken: UInt64) {
        Alarm.after(Self.patience) { self.check(since: taken) }
    }

    private func check(since taken: UInt64) {
        let (wakes, watch, growth) = state.withLock { state -> ([Wake], UInt64?, Int?) in
            guard !state.jobs.isEmpty else {
                state.isWatched = false
                return ([], nil, nil)
            }
            guard state.taken == taken else { return ([], state.taken, nil) }
            state.allowance = min(state.limit, state.allowance * 2)
            state.growth += 1
            var wakes: [Wake] = []
            while wakes.count < state.jobs.count, let wake = state.claim() { wakes.append(wake) }
            state.isWatched = state.allowance < state.limit
            return (wakes, state.isWatched ? state.taken : nil, state.growth)
        }
        for wake in wakes { perform(wake) }
        if let watch { self.watch(since: watch) }
        if let growth { Alarm.after(Self.relapse) { self.shrink(since: growth) } }
    }

    /// Back to the usual number, unless more were needed meanwhile.
    private func shrink(since growth: Int) {
        state.withLock { state in
            if state.growth == growth { state.allowance = state.usualThreads + state.lost }
        }
    }
}
