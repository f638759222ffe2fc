import FoundationEssentials
import Synchronization

/// Runs tasks inside of this process, each slot as a Swift task of its own on threads of the pool.
///
/// Celery: `--pool tasks`, and `threads`. A trap in a task ends the process with all its tasks.
final class InProcessPool: ExecutionPool {
    /// Beyond this many slots only tasks that suspend instead of blocking run all at once.
    static let maxThreads = 64

    /// How many requests a slot runs before it lets waiting jobs have its thread.
    private static let runsPerTurn = 16

    private struct State {
        var slots: [Task<Void, Never>] = []
        var openSlots = 0
    }

    private let concurrency: Int
    private let queue = ReadyQueue()
    let executor: ThreadExecutor
    private let state = Mutex(State())
    private let runCount = WorkerCounters.Counter()
    private let ended = Gate<Void>()

    /// Makes a pool of so many slots; at least one.
    init(concurrency: Int) {
        self.concurrency = max(1, concurrency)
        executor = ThreadExecutor(
            label: "swcelery.pool",
            maxThreads: min(self.concurrency, Self.maxThreads),
            usualThreads: max(2, ProcessInfo.processInfo.activeProcessorCount)
        )
    }

    var runningCount: Int { runCount.count }

    var status: PoolStatus { PoolStatus(concurrency: concurrency, children: []) }

    func start(_ runner: TaskRunner) {
        let body = InProcessExecutor(services: runner.services, executor: executor)
        state.withLock { state in
            state.openSlots = concurrency
            state.slots = (0..<concurrency).map { _ in
                Task(executorPreference: executor) { await self.runSlot(runner, body) }
            }
        }
    }

    private func runSlot(_ runner: TaskRunner, _ body: InProcessExecutor) async {
        var runs = 0
        var turn = ReadyQueue.Turn()
        while let request = await queue.next(&turn) {
            runCount.add(1)
            turn.runtime = await runner.run(request, by: body)
            runCount.add(-1)
            runs += 1
            // A slot that always finds a request would keep its thread from bodies that want to go on.
            if runs.isMultiple(of: Self.runsPerTurn), executor.hasWaitingJobs { await Task.yield() }
        }
        let isLast = state.withLock { state -> Bool in
            state.openSlots -= 1
            return state.openSlots == 0
        }
        if isLast { ended.open() }
    }

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
        let neverStarted = state.withLock { $0.slots.isEmpty }
        if neverStarted { ended.open() }
        return left
    }

    var running: [TaskRequest] { queue.running }

    func resize(to concurrency: Int) {}

    func cancelRunning() {
        for request in running { request.interruption.interrupt(.shutdown) }
    }

    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        ended.whenOpen { body() }
    }
}
