extension TaskRegistry {
    /// Registers an errback that is told of a failure in full, right where the task failed (Celery's new-style errbacks).
    ///
    /// ```swift
    /// tasks.registerErrback("proj.on_error") { report, context in
    ///     context.logger.warning("\(report.id) has failed: \(report.failure?.message ?? "?")")
    /// }
    /// ```
    /// Named by a task's `link_error`, it is called in the process in which the task's body has failed, before the failure is
    /// published; no message is sent, and an error that it throws is only logged. The context is the failed task's. A failure
    /// that only the worker can see, such as a lost process or a hard time limit, and a failure in a worker that has no such
    /// errback, send it as a task: then it runs as one, with a context of its own, and the report has only the failed task's
    /// id.
    ///
    /// - Parameters:
    ///   - name: the name under which tasks name it in `link_error`.
    ///   - options: its settings where it runs as a task.
    ///   - errback: what is called.
    public mutating func registerErrback(
        _ name: String,
        options: TaskRegistrationOptions = .init(),
        _ errback: @escaping @Sendable (FailureReport, TaskContext) async throws -> Void
    ) {
        add(errback, name, options)
    }
}
