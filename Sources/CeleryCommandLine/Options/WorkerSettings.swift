import Celery
import CeleryWorker
import Logging

/// What a worker is to do: options first, then environment variables; nil where the configuration decides.
struct WorkerSettings: Sendable {
    let node: NodeName
    let logLevel: Logger.Level
    let queues: [String]?
    let excludedQueues: Set<String>
    let concurrency: Concurrency?
    let pool: PoolName
    let prefetchMultiplier: Int?
    let purge: Bool
    let poolSettings: PoolSettings

    /// Puts the settings together.
    ///
    /// - Throws: `CommandFailure` with the usage status for a variable with a bad value.
    init(options: WorkerOptions, pool poolOptions: PoolOptions, variables: CommandEnvironment) throws {
        node =
            try options.hostname
            ?? variables.value(.workerHostname, parsedBy: { try NodeName.option($0) })
            ?? NodeName.option("")
        logLevel =
            try
            (options.logLevel ?? variables.value(.workerLogLevel, parsedBy: LogLevelName.init(parsing:)) ?? .warning)
            .level
        queues = try (options.queues ?? variables.value(.workerQueues, parsedBy: QueueNames.init(parsing:)))?.names
        excludedQueues = Set(
            try (options.excludedQueues ?? variables.value(.workerExcludedQueues, parsedBy: QueueNames.init(parsing:)))?
                .names ?? []
        )
        concurrency =
            try options.concurrency ?? variables.value(.workerConcurrency, parsedBy: Concurrency.init(parsing:))
        pool = try options.pool ?? variables.value(.workerPool, parsedBy: PoolName.init(parsing:)) ?? .processes
        prefetchMultiplier =
            try
            (options.prefetchMultiplier
            ?? variables.value(.workerPrefetchMultiplier, parsedBy: PrefetchMultiplier.init(parsing:)))?.number
        purge = try variables.flag(options.purge, .workerPurge)
        poolSettings = try PoolSettings(options: poolOptions, node: node, variables: variables)
    }
}

extension WorkerSettings {
    /// The worker's configuration; what nobody has set comes from the application's settings.
    func configuration(_ celery: CeleryConfiguration, cpus: CPUBudget) -> WorkerConfiguration {
        WorkerConfiguration(
            queues: queues ?? [],
            excludedQueues: excludedQueues,
            concurrency: concurrency?.resolved(cpus) ?? celery.workerConcurrency ?? cpus.processors,
            prefetchMultiplier: prefetchMultiplier,
            // The name is expanded already; its percent signs stand for themselves.
            hostname: node.description.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%"),
            pool: pool.pool,
            autoscale: pool == .processes
                ? poolSettings.autoscale.map { Autoscale(max: $0.maximum, min: $0.minimum) } : nil,
            purge: purge
        )
    }
}
