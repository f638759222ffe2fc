/// What one worker does beside the settings that it shares with all others.
public struct WorkerConfiguration: Sendable {
    /// How task bodies are run.
    public enum Pool: String, Sendable, Hashable {
        /// As many at a time as the concurrency allows, in this process.
        case tasks
        /// One at a time, in this process.
        case solo
        /// As many at a time as the concurrency allows, each in a child process of its own.
        ///
        /// Celery: `prefork`.
        case processes
    }

    /// Names of the queues to consume from; empty for all of the configuration.
    ///
    /// Celery: `--queues`.
    public var queues: [String]
    /// Names of queues to leave out.
    ///
    /// Celery: `--exclude-queues`.
    public var excludedQueues: Set<String>
    /// How many tasks run at a time; nil for `worker_concurrency`, and without that the number of processors.
    ///
    /// Celery: `--concurrency`.
    public var concurrency: Int?
    /// Messages that are fetched ahead for each slot, 0 for no bound; nil for `worker_prefetch_multiplier`.
    ///
    /// Celery: `--prefetch-multiplier`.
    public var prefetchMultiplier: Int?
    /// The node name; `%h` stands for the host's name, `%n` for its first part, `%d` for the rest.
    ///
    /// Celery: `--hostname`.
    public var hostname: String
    /// How task bodies are run.
    ///
    /// Celery: `--pool`.
    public var pool: Pool
    /// Bounds within which the number of child processes follows the work; nil for a fixed number.
    ///
    /// In place of `concurrency`, with the pool of child processes only. Celery: `--autoscale`.
    public var autoscale: Autoscale?
    /// The executable of child processes; nil for the running one.
    ///
    /// It has to register the same tasks, and to begin with ``PoolChild``.
    package var childExecutable: String?
    /// Whether the queues are emptied before the worker starts.
    ///
    /// Celery: `--purge`.
    public var purge: Bool
    /// How many published results may wait for the broker's confirm before slots wait.
    public var resultWindow: Int
    /// How long a shutdown waits for results to be confirmed after the last task has ended.
    public var flushTimeout: Duration
    /// How long a cold shutdown waits for the cancelled tasks to end.
    public var cancellationTimeout: Duration
    /// How long a task in this process may ignore that its hard limit, or a revoke, has cancelled it.
    ///
    /// After that it is abandoned: its outcome is published, and another task gets its slot although its body goes on.
    public var abandonmentTimeout: Duration
    /// How long an abandoned body may go on before the worker ends with ``CeleryError/Code/taskAbandoned``; nil for ever.
    ///
    /// Code inside of a process cannot be killed, so whoever supervises the worker has to start it again.
    public var restartTimeout: Duration?

    /// Makes a configuration; the defaults are Celery's where it has them.
    public init(
        queues: [String] = [],
        excludedQueues: Set<String> = [],
        concurrency: Int? = nil,
        prefetchMultiplier: Int? = nil,
        hostname: String = "celery@%h",
        pool: Pool = .tasks,
        autoscale: Autoscale? = nil,
        purge: Bool = false,
        resultWindow: Int = 1_000,
        flushTimeout: Duration = .seconds(30),
        cancellationTimeout: Duration = .seconds(5),
        abandonmentTimeout: Duration = .seconds(2),
        restartTimeout: Duration? = .seconds(30)
    ) {
        self.queues = queues
        self.excludedQueues = excludedQueues
        self.concurrency = concurrency
        self.prefetchMultiplier = prefetchMultiplier
        self.hostname = hostname
        self.pool = pool
        self.autoscale = autoscale
        self.purge = purge
        self.resultWindow = resultWindow
        self.flushTimeout = flushTimeout
        self.cancellationTimeout = cancellationTimeout
        self.abandonmentTimeout = abandonmentTimeout
        self.restartTimeout = restartTimeout
    }
}
