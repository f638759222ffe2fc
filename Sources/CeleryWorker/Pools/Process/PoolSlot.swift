import Celery
import Logging
import Synchronization

/// One slot of the pool: it runs one task at a time in its child, which it replaces when that has ended or has done enough.
final class PoolSlot: Sendable {
    private struct State {
        var child: ChildProcess?
        /// The start that is under way: of the slot's child, or of the one that follows it.
        var start: Task<Void, Never>?
        var successor: ChildProcess?
        var isRunning = false
        var hasEnded = false
    }

    private let starter: ChildStarter
    private let loop: ChildLoop
    private let options: ProcessPoolOptions
    private let state = Mutex(State())

    init(starter: ChildStarter, loop: ChildLoop, options: ProcessPoolOptions) {
        self.starter = starter
        self.loop = loop
        self.options = options
    }

    /// A child that is ready for a task, if there is one now.
    var readyChild: ChildProcess? {
        state.withLock { state in
            if let child = state.child, child.isUsable { return child }
            state.child = nil
            guard let successor = state.successor else { return nil }
            state.successor = nil
            guard successor.isUsable else { return nil }
            state.child = successor
            return successor
        }
    }

    /// A child that is ready for a task, waiting for its start; nil if none is wanted any more.
    func child() async -> ChildProcess? {
        while true {
            if let child = readyChild { return child }
            if !isWanted { return nil }
            prepare()
            guard let start = state.withLock({ $0.start }) else { continue }
            await start.value
            guard readyChild != nil || (isWanted && !starter.closed.isOpen) else { return nil }
        }
    }

    /// Notes that a run is under way, which needs a child even while the pool ends.
    func setRunning(_ isRunning: Bool) { state.withLock { $0.isRunning = isRunning } }

    private var isWanted: Bool {
        if starter.failure.value != nil { return false }
        return state.withLock { !$0.hasEnded && ($0.isRunning || !starter.closed.isOpen) }
    }

    /// Starts a child in the background, unless one is on its way.
    func prepare() {
        state.withLock { state in
            if state.successor?.isUsable == false { state.successor = nil }
            guard state.start == nil, state.successor == nil, !state.hasEnded else { return }
            state.start = Task(executorPreference: loop) { await self.startChild() }
        }
    }

    private func startChild() async {
        let child = await starter.start { self.isWanted }
        let isLate = state.withLock { state -> Bool in
            state.start = nil
            guard !state.hasEnded else { return true }
            state.successor = child
            return false
        }
        guard let child else { return }
        if isLate { return child.retire() }
        child.exited.whenOpen { [weak self] _ in self?.childEnded() }
    }

    /// The child is gone: the next one is started at once, not when the next task comes.
    private func childEnded() {
        guard state.withLock({ !$0.hasEnded }), !starter.closed.isOpen, readyChild == nil else { return }
        prepare()
    }
}

// MARK: - Tasks

extension PoolSlot {
    /// Takes note that the child gets a task: the one after its last task has to be ready by then.
    func willRun(_ child: ChildProcess) {
        if let most = options.celery.workerMaxTasksPerChild, most > 0, child.taskCount + 1 >= most { prepare() }
    }

    /// Replaces the child if it has done enough, or has grown too large.
    func didRun() {
        guard let child = readyChild, isSpent(child) else { return }
        options.counters.childrenRetired.add()
        state.withLock { $0.child = nil }
        child.retire()
        if !starter.closed.isOpen { prepare() }
    }

    private func isSpent(_ child: ChildProcess) -> Bool {
        if let most = options.celery.workerMaxTasksPerChild, most > 0, child.taskCount >= most { return true }
        guard let most = options.celery.workerMaxMemoryPerChild, most > 0, let size = child.residentMemory,
            size > most
        else { return false }
        // Celery's words, of billiard.
        options.logger.warning("child process exiting after exceeding memory limit (\(size)KiB / \(most)KiB)")
        return true
    }

    /// Ends the slot, and its child.
    func end() {
        let children = state.withLock { state in
            state.hasEnded = true
            defer {
                state.child = nil
                state.successor = nil
            }
            return [state.child, state.successor].compactMap { $0 }
        }
        for child in children { child.retire() }
    }
}

extension ChildProcess {
    /// How long a child without a task may take to end.
    private static let patience: Duration = .seconds(5)

    /// Lets the child end by itself, and kills it if it does not.
    func retire() {
        stop()
        Alarm.after(Self.patience) { [weak self] in self?.kill() }
    }
}
