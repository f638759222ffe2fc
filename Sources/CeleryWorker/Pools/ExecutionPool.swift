/// Where tasks run: a number of slots, each of which runs one task at a time.
protocol ExecutionPool: Sendable {
    /// Starts the slots.
    ///
    /// The closure runs one request and returns when the slot is free again, with the time that the body has taken.
    func start(_ run: @escaping @Sendable (TaskRequest) async -> Duration)

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

    /// Tells the running tasks to end.
    func cancelRunning()

    /// Calls the closure once, when every slot has ended after `close`.
    func whenEnded(_ body: @escaping @Sendable () -> Void)

    /// How many tasks run now.
    var runningCount: Int { get }
}
