import Celery

/// The tasks of a worker by name.
struct TaskTable: Sendable {
    private let tasks: [String: WorkerTask]
    let hooks: WorkerHooks

    /// Makes the table.
    ///
    /// - Throws: ``CeleryError/Code/invalidConfiguration`` for a task whose settings cannot be used, and for a default rate
    ///   limit that cannot be read.
    init(
        _ tasks: some Sequence<RegisteredTask>,
        _ configuration: CeleryConfiguration,
        hooks: WorkerHooks,
        errbacks: [String: Errback] = [:]
    ) throws(CeleryError) {
        var defaultRate: RateLimit?
        if let text = configuration.taskDefaultRateLimit { defaultRate = try RateLimit(text) }
        let library = TaskLibrary(tasks, errbacks: errbacks)
        var table: [String: WorkerTask] = [:]
        for task in tasks where table[task.name] == nil {
            table[task.name] = try WorkerTask(
                task,
                configuration,
                defaultRate: defaultRate,
                hooks: hooks,
                library: library
            )
        }
        self.tasks = table
        self.hooks = hooks
    }

    subscript(name: String) -> WorkerTask? { tasks[name] }

    /// All tasks, by name.
    var all: [WorkerTask] { tasks.values.sorted { $0.name < $1.name } }
}
