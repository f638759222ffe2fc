/// Executes the body of a run: in the worker's process, or in a child.
protocol BodyExecutor: Sendable {
    /// Executes the body, with the limits and interruptions that end it.
    ///
    /// - Parameters:
    ///   - run: the run.
    ///   - accept: takes the request for good, once, right before the body starts; false if it must not start.
    /// - Returns: how the body ended; nil if it was not to start.
    func execute(_ run: TaskRun, accept: @Sendable () -> Bool) async -> TaskOutcome?
}
