import AMQP
import Celery
import Logging
import Synchronization

/// Runs each task in a child process of the same executable, so that a crash takes down that task alone.
///
/// Celery: `--pool prefork`. The parent never runs a task's code, and it alone talks to the broker. Slots take tasks only
/// while they have a child that is ready.
final class ProcessPool: ExecutionPool {
    private struct State {
        var slots: SlotCount
        var runner: TaskRunner?
    }

    private let options: ProcessPoolOptions
    private let queue = ReadyQueue()
    private let loop: ChildLoop
    private let starter: ChildStarter
    private let runs: ChildRuns
    private let state: Mutex<State>
    private let runCount = WorkerCounters.Counter()
    private let ended = Gate<Void>()
    private let autoscaler: AutoscaleDriver?

    /// Makes a pool without children yet.
    ///
    /// - Throws: ``CeleryError`` where the system has no thread or descriptor left, or where this process was itself
    ///   started as a child.
    init(options: ProcessPoolOptions) throws(CeleryError) {
        guard !PoolChild.isStarted else {
            throw CeleryError(
                .invalidConfiguration,
                """
                this process was started as a child of a worker's pool, and starts a worker itself: \
                its main function has to begin with PoolChild.runIfStarted
                """
            )
        }
        self.options = options
        do {
            loop = try ChildLoop()
        } catch {
            throw CeleryError(.childStartFailed, "the pool of child processes cannot be made", underlying: error)
        }
        starter = ChildStarter(options: options, loop: loop)
        runs = ChildRuns(poisonLimit: options.celery.workerPoisonLimit)
        state = Mutex(State(slots: SlotCount(wanted: options.autoscale?.min ?? options.concurrency)))
        autoscaler = options.autoscale.map(AutoscaleDriver.init)
    }

    var runningCount: Int { runCount.count }

    var running: [TaskRequest] { queue.running }

    func submit(_ requests: [TaskRequest]) -> [TaskRequest] {
        let refused = queue.append(requests)
        autoscale(hasArrivals: true)
        return refused
    }

    func withdraw(where condition: (TaskRequest) -> Bool) -> [TaskRequest] { queue.remove(where: condition) }

    func watchRunning(
        where condition: (TaskRequest) -> Bool,
        onEnd report: @escaping @Sendable (TaskRequest) -> Void
    ) -> [TaskRequest] {
        queue.watchRunning(where: condition, onEnd: report)
    }

    func close() -> [TaskRequest] {
        let left = queue.close()
        starter.closed.open()
        change { $0.close() }
        return left
    }

    func cancelRunning() {
        for request in running { request.interruption.interrupt(.shutdown) }
    }

    func whenEnded(_ body: @escaping @Sendable () -> Void) {
        ended.whenOpen { body() }
    }

    func whenFailed(_ body: @escaping @Sendable (CeleryError) -> Void) {
        starter.failure.whenOpen(body)
    }

    var status: PoolStatus {
        PoolStatus(
            concurrency: state.withLock { $0.slots.wanted },
            children: starter.living.map(\.status).sorted { $0.pid < $1.pid }
        )
    }
}

// MARK: - Slots

extension ProcessPool {
    func start(_ runner: TaskRunner) {
        let count = state.withLock { state -> Int in
            state.runner = runner
            return state.slots.start()
        }
        for _ in 0..<count { startSlot(runner) }
        watch()
    }

    func resize(to concurrency: Int) {
        let (runner, change) = state.withLock { ($0.runner, $0.slots.resize(to: concurrency)) }
        guard let runner, change != 0 else { return }
        guard change > 0 else { return queue.retire(-change) }
        // Slots that were to go and have not may stay.
        let kept = queue.unretire(change)
        self.change { $0.keep(kept) }
        for _ in kept..<change { startSlot(runner) }
    }

    private func startSlot(_ runner: TaskRunner) {
        let slot = PoolSlot(starter: starter, loop: loop, options: options)
        Task(executorPreference: loop) { await self.run(slot, runner) }
    }

    private func run(_ slot: PoolSlot, _ runner: TaskRunner) async {
        let executor = ChildExecutor(
            slot: slot,
            options: options,
            services: runner.services,
            shared: runs
        ) { runner.giveBack($0) }
        var turn = ReadyQueue.Turn()
        while await isReady(slot, &turn), let request = await queue.next(&turn) {
            runCount.add(1)
            turn.runtime = await runner.run(request, by: executor)
            runCount.add(-1)
            slot.didRun()
        }
        slot.end()
        change { $0.end() }
    }

    /// Changes the count of slots; the pool ends where none is left.
    private func change(_ change: (inout SlotCount) -> Void) {
        let isOver = state.withLock { state in
            change(&state.slots)
            return state.slots.isOver
        }
        if isOver { finish() }
    }

    /// Whether the slot has a child; waits for its start.
    private func isReady(_ slot: PoolSlot, _ turn: inout ReadyQueue.Turn) async -> Bool {
        if slot.readyChild != nil { return true }
        queue.endRun(&turn)
        return await slot.child() != nil
    }

    private func finish() {
        starter.whenNoneIsLeft {
            self.loop.stop()
            self.ended.open()
        }
    }
}

// MARK: - Watching

extension ProcessPool {
    /// How often the number of children is thought over while nothing comes.
    private static let autoscalePeriod: Duration = .seconds(1)
    /// How often the memory of busy children is looked at.
    private static let memoryPeriod: Duration = .milliseconds(250)

    private func watch() {
        if autoscaler != nil {
            repeatUntilClosed(Self.autoscalePeriod) { $0.autoscale(hasArrivals: false) }
        }
        if let limit = options.celery.workerMemoryLimitPerChild, limit > 0 {
            repeatUntilClosed(Self.memoryPeriod) { $0.killLargeChildren(limit: limit) }
        }
    }

    private func repeatUntilClosed(_ period: Duration, _ action: @escaping @Sendable (ProcessPool) -> Void) {
        Alarm.after(period) { [weak self] in
            guard let self, !self.ended.isOpen else { return }
            action(self)
            self.repeatUntilClosed(period, action)
        }
    }

    private func autoscale(hasArrivals: Bool) {
        guard let autoscaler else { return }
        let (processes, isClosed) = state.withLock { ($0.slots.wanted, $0.slots.isClosed) }
        guard !isClosed else { return }
        let reserved = queue.waitingCount + runCount.count
        guard let wanted = autoscaler.decide(processes, reserved: reserved, hasArrivals: hasArrivals) else { return }
        let change = wanted - processes
        // Celery's words.
        options.logger.info("Scaling \(change > 0 ? "up" : "down") \(abs(change)) processes.")
        resize(to: wanted)
    }

    private func killLargeChildren(limit: Int) {
        for child in starter.living where child.isBusy {
            guard let size = child.residentMemory, size > limit, child.killReason == nil else { continue }
            let reason = "killed as its memory was beyond the limit (\(size)KiB / \(limit)KiB)"
            options.counters.childDeaths.add()
            options.logger.error("Process '\(child.name)' pid:\(child.pid) \(reason)")
            child.kill(because: reason)
        }
    }
}
