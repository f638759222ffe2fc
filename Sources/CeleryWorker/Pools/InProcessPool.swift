import FoundationEssentials
import Synchronization

/// Runs tasks inside of this process, each slot as a Swift task of its own on threads of the pool.
///
/// Celery: `--pool tasks`, and `threads`. A trap in a task ends the process with all its tasks.
final class InProcessPool: ExecutionPool {
    /// Beyond this many slots only tasks that suspend instead of blocking run all at once.
    static let maxThreads = 64
    /// Most threads for bodies that were registered as blocking.
    static let maxBlockingThreads = 1_024

    /// How many requests a slot runs before it lets waiting jobs have its thread.
    private static let runsPerTurn = 16

    private struct State {
        var slots: SlotCount
        var runner: TaskRunner?
    }

    private let queue = ReadyQueue()
    private let executor: ThreadExecutor
    private let blocking: ThreadExecutor
    private let patience: Duration
    private let onAbandoned: @Sendable (AbandonedRun) -> Void
    private let state: Mutex<State>
    private let runCount = WorkerCounters.Counter()
    private let ended = Gate<Void>()

    /// Makes a pool.
    ///
    /// - Parameters:
    ///   - concurrency: the number of slots; at least one.
    ///   - patience: how long a body may ignore that a hard limit or a revoke has cancelled it.
    ///   - onAbandoned: hears of each body that has ignored it for longer; its slot is replaced.
    init(
        concurrency: Int,
        patience: Duration = .seconds(2),
        onAbandoned: @escaping @Sendable (AbandonedRun) -> Void = { _ in }
    ) {
        let concurrency = max(1, concurrency)
        self.patience = patience
        self.onAbandoned = onAbandoned
        state = Mutex(State(slots: SlotCount(wanted: concurrency)))
        executor = ThreadExecutor(
            label: "swcelery.pool",
            maxThreads: min(concurrency, Self.maxThreads),
            usualThreads: max(2, ProcessInfo.processInfo.activeProcessorCount)
        )
        let blockingThreads = min(concurrency, Self.maxBlockingThreads)
        blocking = ThreadExecutor(
            label: "swcelery.blocking",
            maxThreads: blockingThreads,
            usualThreads: blockingThreads
        )
    }

    var runningCount: Int { runCount.count }

    var running: [TaskRequest] { queue.running }

    var status: PoolStatus { PoolStatus(concurrency: state.withLock { $0.slots.wanted }, children: []) }

    func submit(_ requests: [TaskRequest]) -> [TaskRequest] { queue.append(requests) }

    func withdraw(where condition: (TaskRequest) -> Bool) -> [TaskRequest] { queue.remove(where: condition) }

    func watchRunning(
        where condition: (TaskRequest) -> Bool,
        onEnd report: @escaping @Sendable (TaskRequest) -> Void
    ) -> [TaskRequest] {
        queue.watchRunning(where: condition, onEnd: report)
    }

    func close() -> [TaskRequest] {
        let left = queue.close()
        change { $0.close() }
        return left
    }

    func cancelRunning() {
        for request in running { request.interruption.interrupt(.shutdown) }
    }

    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        ended.whenOpen { body() }
    }
}

// MARK: - Slots

extension InProcessPool {
    func start(_ runner: TaskRunner) {
        let count = state.withLock { state -> Int in
            state.runner = runner
            return state.slots.start()
        }
        for _ in 0..<count { startSlot(runner) }
    }

    func resize(to concurrency: Int) {
        let concurrency = max(1, concurrency)
        let (runner, change) = state.withLock { ($0.runner, $0.slots.resize(to: concurrency)) }
        guard let runner, change != 0 else { return }
        executor.allow(min(concurrency, Self.maxThreads))
        blocking.allow(min(concurrency, Self.maxBlockingThreads))
        guard change > 0 else { return queue.retire(-change) }
        // Slots that were to go and have not may stay.
        let kept = queue.unretire(change)
        self.change { $0.keep(kept) }
        for _ in kept..<change { startSlot(runner) }
    }

    private func startSlot(_ runner: TaskRunner) {
        let slot = InProcessSlot()
        slot.start(on: executor) { await self.run(slot, ReadyQueue.Turn(), runner) }
    }

    private func run(_ slot: InProcessSlot, _ turn: ReadyQueue.Turn, _ runner: TaskRunner) async {
        let body = InProcessExecutor(services: runner.services, slot: slot, blocking: blocking) { run, outcome in
            Alarm.after(self.patience) { self.abandon(run, in: slot, outcome, runner) }
        }
        var turn = turn
        var runs = 0
        while let request = await queue.next(&turn) {
            runCount.add(1)
            let runtime = await runner.run(request, by: body)
            // Whoever has abandoned the run has given its place to another slot.
            if slot.isAbandoned {
                executor.relieve()
                blocking.relieve()
                return
            }
            turn.runtime = runtime
            runCount.add(-1)
            if slot.takeCancellation() || Task.isCancelled {
                return slot.start(on: executor) { [turn] in await self.run(slot, turn, runner) }
            }
            runs += 1
            // A slot that always finds a request would keep its thread from bodies that want to go on.
            if runs.isMultiple(of: Self.runsPerTurn), executor.hasWaitingJobs { await Task.yield() }
        }
        change { $0.end() }
    }

    /// Changes the count of slots; the pool has ended where none is left.
    private func change(_ change: (inout SlotCount) -> Void) {
        let isOver = state.withLock { state in
            change(&state.slots)
            return state.slots.isOver
        }
        if isOver { ended.open() }
    }

    /// Ends a run whose body does not end: its outcome is published, and another slot takes its place.
    private func abandon(_ run: TaskRun, in slot: InProcessSlot, _ outcome: TaskOutcome, _ runner: TaskRunner) {
        guard slot.abandon(run) else { return }
        run.request.interruption.end()
        // The body may hold its thread for good.
        executor.compensate()
        blocking.compensate()
        let replacement = InProcessSlot()
        let turn = queue.abandon(run.request)
        replacement.start(on: executor) {
            await runner.finish(run, outcome)
            self.runCount.add(-1)
            await self.run(replacement, turn, runner)
        }
        onAbandoned(AbandonedRun(request: run.request, slot: slot))
    }
}
