import Celery

/// Where tasks run: a number of slots, each of which runs one task at a time.
protocol ExecutionPool: Sendable {
    /// Starts the slots.
    func start(_ runner: TaskRunner)

    /// Puts requests in line. After `close` they come back as the answer.
    func submit(_ requests: [TaskRequest]) -> [TaskRequest]

    /// Takes the requests out of the line that satisfy the condition and have not started.
    func withdraw(where condition: (TaskRequest) -> Bool) -> [TaskRequest]

    /// The running requests that satisfy the condition, each once; of each the closure hears when it has ended.
    func watchRunning(
        where condition: (TaskRequest) -> Bool,
        onEnd report: @escaping @Sendable (TaskRequest) -> Void
    ) -> [TaskRequest]

    /// Starts nothing any more; answers the requests that have not started.
    func close() -> [TaskRequest]

    /// The requests that run now.
    var running: [TaskRequest] { get }

    /// Changes the number of slots, at least one; slots beyond it end with what they run.
    func resize(to concurrency: Int)

    /// Tells the running tasks to end, for a cold shutdown.
    func cancelRunning()

    /// Calls the closure once, when every slot has ended after `close`.
    func whenEnded(_ body: @escaping @Sendable () -> Void)

    /// Calls the closure once, if the pool can run nothing for good.
    func whenFailed(_ body: @escaping @Sendable (CeleryError) -> Void)

    /// How many tasks run now.
    var runningCount: Int { get }

    /// The child processes, where there are any.
    var status: PoolStatus { get }
}

extension ExecutionPool {
    /// Calls the closure once, if the pool can run nothing for good; most pools always can.
    func whenFailed(_ body: @escaping @Sendable (CeleryError) -> Void) {}
}
