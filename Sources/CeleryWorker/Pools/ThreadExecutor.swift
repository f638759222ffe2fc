import Dispatch
import DequeModule
import Synchronization

/// Runs Swift tasks on threads of its own.
///
/// Threads come on demand up to a limit and end when they were idle for a while. A task body that blocks its thread
/// (a database driver in C, a busy loop) thus costs one thread of this executor, and starves neither Swift's global
/// pool nor the other executors of the worker. A thread is a block on a dispatch queue of its own, which Dispatch gives
/// a thread beyond the number of processors.
final class ThreadExecutor: TaskExecutor {
    private struct State {
        var jobs = Deque<UnownedJob>()
        var threads = 0
        /// Threads that wait and that no signal is on the way to.
        var idle = 0
    }

    private enum Wake {
        case nobody
        case idleThread
        case newThread(Int)
    }

    private let label: String
    private let maxThreads: Int
    private let idleLimit: Duration
    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)

    /// Makes an executor without threads.
    ///
    /// - Parameters:
    ///   - label: name of the threads' queues, for debuggers.
    ///   - maxThreads: how many threads may exist at once; at least one.
    ///   - idleLimit: how long a thread waits for work before it ends.
    init(label: String, maxThreads: Int, idleLimit: Duration = .seconds(10)) {
        self.label = label
        self.maxThreads = max(1, maxThreads)
        self.idleLimit = idleLimit
    }

    /// How many threads exist now.
    var threadCount: Int { state.withLock { $0.threads } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let action = state.withLock { state -> Wake in
            state.jobs.append(job)
            if state.idle > 0 {
                state.idle -= 1
                return .idleThread
            }
            guard state.threads < maxThreads else { return .nobody }
            state.threads += 1
            return .newThread(state.threads)
        }
        switch action {
        case .nobody: break
        case .idleThread: wake.signal()
        case .newThread(let number): DispatchQueue(label: "\(label).\(number)").async { self.runThread() }
        }
    }

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
            if let job = state.jobs.popFirst() { return job }
            state.idle += 1
            return nil
        }
    }

    /// Takes the calling thread out of the pool; false if a signal is on the way to it.
    private func retire() -> Bool {
        state.withLock { state in
            guard state.idle > 0 else { return false }
            state.idle -= 1
            state.threads -= 1
            return true
        }
    }
}
