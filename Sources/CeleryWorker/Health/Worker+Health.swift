import Synchronization

// What a worker tells of itself to who looks at it from outside: cheap, and from any thread.
extension Worker {
    /// Whether it lives, has come up, and can take tasks.
    public var health: WorkerHealth {
        WorkerHealth(
            phase: phase,
            isConnected: parts.sender.topology.current != nil,
            queues: parts.consuming.consumedQueues
        )
    }

    /// How much it has to do.
    public var levels: WorkerLevels {
        WorkerLevels(
            slots: parts.pool.status.concurrency,
            busySlots: parts.pool.runningCount,
            heldForTime: parts.counters.heldForTime.number,
            heldForRate: parts.counters.heldForRate.number,
            handovers: parts.counters.handovers.number,
            unconfirmedResults: parts.results.unfinishedCount,
            unconfirmedTasks: parts.tasks.unfinishedCount
        )
    }

    private var phase: WorkerHealth.Phase {
        if hasEnded.load(ordering: .relaxed) { return .ended }
        if shutdown.isOpen { return .stopping }
        return parts.consuming.ready.isOpen ? .running : .starting
    }

    /// Calls the closure where the worker's own work runs: when it comes, the worker lives.
    package func whenAnswered(_ body: @escaping @Sendable () -> Void) {
        Task(executorPreference: parts.executor) { body() }
    }

    /// Measures the runs of tasks from now on.
    ///
    /// - Parameter limit: how many tasks are told apart; the others count as one of the name `(other)`.
    package func measureTasks(limit: Int) {
        let other = TaskMeasure(name: TaskMeasure.otherName)
        for (index, task) in parts.dispatching.tasks.all.enumerated() {
            _ = task.measure.storeIfNil(index < limit ? TaskMeasure(name: task.name) : other)
        }
    }

    /// What was measured of tasks, by name; empty where nobody has asked for it.
    package var taskMeasures: [TaskMeasure] {
        var measures: [TaskMeasure] = []
        for task in parts.dispatching.tasks.all {
            guard let measure = task.measure.load(), measures.last !== measure else { continue }
            measures.append(measure)
        }
        return measures
    }
}
