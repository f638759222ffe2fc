/// The events of tasks, which monitors such as Flower show; Celery's remote control commands of the same names.
extension Worker {
    /// Whether events of tasks are sent.
    ///
    /// At the start as ``CeleryConfiguration/workerSendTaskEvents`` says.
    public var sendsTaskEvents: Bool { parts.events.isTaskEventsEnabled }

    /// Sends events of tasks from now on (Celery's `enable_events`).
    ///
    /// - Returns: false if they were sent already.
    @discardableResult
    public func enableTaskEvents() -> Bool { parts.events.enableTaskEvents() }

    /// Sends no events of tasks any more (Celery's `disable_events`).
    ///
    /// - Returns: false if they were not sent, and also where the worker was started with `-E`: as with Celery's workers they
    ///   then go on.
    @discardableResult
    public func disableTaskEvents() -> Bool { parts.events.disableTaskEvents() }
}
