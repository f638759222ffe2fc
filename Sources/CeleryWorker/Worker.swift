public import Celery
import CeleryProtocol
import FoundationEssentials
public import Logging
public import ServiceLifecycle
import Synchronization

/// A Celery worker: takes task messages from its queues, runs them and publishes what they come to.
///
/// It is a `Service`: run it in a `ServiceGroup`, or call `run()` and end it with `triggerShutdown(_:)`.
/// A worker runs once.
public final class Worker: Service {
    /// How a worker ends.
    public enum Shutdown: Sendable, Hashable {
        /// Running tasks finish, what has not started goes back to its queue.
        case warm
        /// Running tasks are cancelled too, after `worker_soft_shutdown_timeout`.
        case cold
        /// Running tasks are cancelled at once, whatever `worker_soft_shutdown_timeout` says.
        case immediate
    }

    let parts: WorkerParts
    private let hasRun = Atomic(false)
    private let shutdown = Gate<Void>()

    /// Makes a worker.
    ///
    /// - Parameters:
    ///   - configuration: what this worker does.
    ///   - celery: the settings that it shares with clients and other workers.
    ///   - registry: its tasks.
    ///   - logger: where it logs to.
    /// - Throws: ``CeleryError`` for settings that cannot be used and for tasks that are registered twice.
    public convenience init(
        configuration: WorkerConfiguration = WorkerConfiguration(),
        celery: CeleryConfiguration,
        registry: TaskRegistry,
        logger: Logger
    ) throws(CeleryError) {
        let name = try NodeName(expanding: configuration.hostname).description
        let broker = try AMQPBroker(configuration: celery, connectionName: name, logger: logger)
        try self.init(
            broker: broker,
            configuration: configuration,
            celery: celery,
            registry: registry,
            logger: logger
        )
    }

    /// Makes a worker on a given broker.
    package init(
        broker: any Broker,
        configuration: WorkerConfiguration = WorkerConfiguration(),
        celery: CeleryConfiguration,
        registry: TaskRegistry,
        logger: Logger
    ) throws(CeleryError) {
        parts = try WorkerParts(
            broker: broker,
            configuration: configuration,
            celery: celery,
            registry: registry,
            logger: logger
        )
    }

    /// The node name, `celery@host` by default.
    public var hostname: String { parts.hostname }

    /// The queues that the worker consumes from.
    public var queues: [Queue] { parts.consuming.taskQueues }

    /// How many tasks run at a time.
    public var concurrency: Int { parts.concurrency }

    /// The slots and child processes of the moment.
    public var pool: PoolStatus { parts.pool.status }

    /// Changes how many tasks run at a time (Celery's `pool_grow` and `pool_shrink`).
    ///
    /// Slots beyond the number end with what they run. What is fetched ahead stays as it was at the start.
    public func resizePool(to concurrency: Int) {
        parts.pool.resize(to: min(concurrency, CeleryConfiguration.maxConcurrency))
    }

    /// What the worker has done so far.
    public var statistics: WorkerStatistics { parts.counters.snapshot }

    /// Waits until all queues are consumed for the first time, or the worker has ended.
    public func waitUntilReady() async { await parts.consuming.ready.wait() }

    /// Comes back when the worker's own thread has had time for it: a sign of life for a watchdog.
    package func answer() async { await Task(executorPreference: parts.executor) {}.value }

    /// Consumes from a further queue, from now on and after every reconnect (Celery's `add_consumer`).
    ///
    /// The queue is declared and subscribed in the background, and tried again where that fails. Nothing happens where it is
    /// consumed already.
    ///
    /// - Throws: ``CeleryError/Code/queueNotFound`` for a queue that is not in `task_queues` where missing ones are not made.
    public func addConsumer(queue name: String) throws(CeleryError) {
        addConsumer(queue: try parts.queueTable.queue(named: name))
    }

    /// Consumes from a further queue that is described here.
    public func addConsumer(queue: Queue) {
        guard !queues.contains(where: { $0.name == queue.name }) else { return }
        parts.logger.info("Consuming from a further queue", metadata: ["queue": "\(queue.name)"])
        parts.consuming.addTaskConsumer(queue)
    }

    /// Stops consuming from a queue, also after a reconnect (Celery's `cancel_consumer`).
    ///
    /// Tasks that were fetched already are still run.
    ///
    /// - Returns: whether the queue was consumed.
    @discardableResult
    public func cancelConsumer(queue name: String) -> Bool {
        let isConsumed = parts.consuming.removeConsumer(DesiredConsumer.Name(role: .tasks, queue: name))
        if isConsumed { parts.logger.info("Consuming from a queue no longer", metadata: ["queue": "\(name)"]) }
        return isConsumed
    }

    /// Ends the worker.
    ///
    /// A cold shutdown may follow a warm one; a warm one becomes cold after `workerShutdownGracePeriod`.
    public func triggerShutdown(_ kind: Shutdown = .warm) {
        switch kind {
        case .warm: break
        case .cold: parts.coldShutdown.open()
        case .immediate:
            parts.coldShutdown.open()
            parts.cancellation.open()
        }
        shutdown.open()
    }

    /// The tasks that run now, the oldest first.
    public var runningTasks: [RunningTask] {
        parts.pool.running.map { RunningTask($0) }.sorted {
            ($0.startedAt ?? .distantFuture, $0.id) < ($1.startedAt ?? .distantFuture, $1.id)
        }
    }

    /// Runs the worker until it is told to end: by a graceful shutdown, by `triggerShutdown(_:)`, or by cancellation of
    /// the task, which is a cold shutdown.
    ///
    /// - Throws: ``CeleryError`` when the broker cannot be reached any more, or a queue cannot be declared.
    public func run() async throws {
        guard !hasRun.exchange(true, ordering: .acquiringAndReleasing) else {
            throw CeleryError(.closed, "a worker runs once")
        }
        // A task of its own: the end of a worker has to be orderly even if the caller's task is cancelled.
        let work = Task(executorPreference: parts.executor) { [parts, shutdown] in try await parts.run(until: shutdown)
        }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await work.value
            } onGracefulShutdown: {
                self.triggerShutdown(.warm)
            }
        } onCancel: {
            self.triggerShutdown(.cold)
        }
    }
}
