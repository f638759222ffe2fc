import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

/// The parts of a worker, put together.
struct WorkerParts: Sendable {
    /// Largest prefetch count that AMQP can express; beyond it, and for 0, Celery asks for no bound.
    static let largestPrefetch = 65_535

    let hostname: String
    let concurrency: Int
    let queueTable: QueueTable
    let counters = WorkerCounters()
    /// Runs the worker itself: one thread, which no task body ever gets.
    let executor = ThreadExecutor(label: "swcelery.worker", maxThreads: 1, usualThreads: 1)
    /// Open when running tasks are not to be waited for until they end by themselves.
    let coldShutdown = Gate<Void>()
    /// Opens when a task that was abandoned makes the worker end.
    let abandonment = Gate<CeleryError>()
    /// Open when they are to be cancelled: with the cold shutdown, or after its soft part.
    let cancellation = Gate<Void>()
    let finisher: Finisher
    let configuration: WorkerConfiguration
    let celery: CeleryConfiguration
    let logger: Logger
    let intake = Intake()
    let ledger: DeliveryLedger
    let results: ConfirmPublisher
    let tasks: ConfirmPublisher
    let sender: TaskSender
    let revocations: Revocations
    /// Keeps revokes beyond the end of the worker; nil where nothing is kept.
    let stateKeeper: StateKeeper?
    let pool: any ExecutionPool
    let runner: TaskRunner
    let hooks: WorkerHooks
    let consuming: ConsumerSupervisor
    /// Collects the results of chords; nil where another worker does.
    let chords: ChordService?
    let publishing: PublishSupervisor
    let dispatching: Dispatcher.Environment

    init(
        broker: any Broker,
        configuration: WorkerConfiguration,
        celery: CeleryConfiguration,
        registry: TaskRegistry,
        logger: Logger
    ) throws(CeleryError) {
        let table = try registry.table(celery)
        let hostname = try NodeName(expanding: configuration.hostname).description
        let composer = TaskComposer(configuration: celery)
        let concurrency = Self.concurrency(configuration, celery)
        let accepted = try Self.accepted(celery)
        let log = TaskLog(logger: logger)
        self.hostname = hostname
        hooks = table.hooks
        self.configuration = configuration
        self.celery = celery
        self.logger = logger
        self.concurrency = concurrency
        queueTable = composer.router.queues
        let queues = try Self.queues(configuration, queueTable)
        let prefetch = Self.prefetch(concurrency, configuration, celery)
        ledger = DeliveryLedger(counters: counters)
        results = ConfirmPublisher(window: max(1, configuration.resultWindow), policy: .results)
        tasks = ConfirmPublisher(window: max(1, configuration.resultWindow), policy: .results)
        sender = TaskSender(
            composer: composer,
            publisher: tasks,
            tasks: table,
            origin: ProcessIdentity.origin,
            logger: logger
        )
        let revocations = Revocations(try RevocationLimits(environment: ProcessInfo.processInfo.environment))
        self.revocations = revocations
        stateKeeper = celery.workerStateDB.map { StateKeeper(path: $0, revocations: revocations, logger: logger) }
        finisher = Finisher(
            results: results,
            composer: ResultComposer(configuration: celery, hostname: hostname),
            sender: sender,
            ledger: ledger,
            intake: intake,
            counters: counters,
            hostname: hostname,
            log: log,
            signals: table.hooks.signals
        )
        pool = try Self.pool(
            configuration,
            ProcessPoolOptions(
                hostname: hostname,
                concurrency: concurrency,
                autoscale: configuration.autoscale,
                celery: celery,
                cancellationTimeout: configuration.cancellationTimeout,
                executable: configuration.childExecutable,
                logger: logger,
                counters: counters
            ),
            AbandonmentWatch(
                limit: configuration.restartTimeout,
                failure: abandonment,
                counters: counters,
                logger: logger
            )
        )
        let check = RevocationCheck(revocations: revocations, finisher: finisher)
        runner = TaskRunner(
            services: TaskServices(hostname: hostname, logger: logger, finisher: finisher, sender: sender),
            check: check,
            ledger: ledger,
            counters: counters,
            executor: executor
        )
        let memory = TopologyMemory()
        consuming = ConsumerSupervisor(
            ConsumerSupervisor.Environment(
                broker: broker,
                configuration: celery,
                topology: Self.topology(queues, prefetch: prefetch),
                usesQuorum: queueTable.usesQuorum || queues.contains { $0.isQuorum },
                prefetch: prefetch,
                purge: configuration.purge,
                intake: intake,
                ledger: ledger,
                counters: counters,
                logger: logger,
                memory: memory,
                executor: executor
            )
        )
        chords =
            celery.workerCollectsChords
            ? ChordService(
                celery,
                accept: AcceptedContent(celery.resultAcceptContent ?? celery.acceptContent),
                publisher: ChordPublisher(sender: sender, results: results, maxBodySize: celery.publishMaxBodySize),
                consuming: consuming,
                counters: counters,
                logger: logger
            ) : nil
        publishing = PublishSupervisor(
            broker: broker,
            configuration: celery,
            results: results,
            tasks: tasks,
            topology: sender.topology,
            counters: counters,
            logger: logger,
            memory: memory,
            executor: executor
        )
        let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void = { [executor] work in
            Task(executorPreference: executor) { await work() }
        }
        dispatching = Dispatcher.Environment(
            intake: intake,
            ledger: ledger,
            tasks: table,
            pool: pool,
            finisher: finisher,
            check: check,
            counters: counters,
            settings: DispatcherSettings(celery, accepted: accepted, queues: queues),
            handover: Handover(
                ladder: PublishedLadder(
                    topology: sender.topology,
                    queueType: celery.brokerNativeDelayedDeliveryQueueType
                ),
                publisher: tasks,
                ledger: ledger,
                intake: intake,
                counters: counters,
                logger: logger,
                spawn: spawn
            ),
            log: log,
            spawn: spawn
        )
    }

    private static func pool(
        _ configuration: WorkerConfiguration,
        _ options: ProcessPoolOptions,
        _ watch: AbandonmentWatch
    ) throws(CeleryError) -> any ExecutionPool {
        switch configuration.pool {
        case .tasks, .solo:
            return InProcessPool(concurrency: options.concurrency, patience: configuration.abandonmentTimeout) {
                watch.watch($0)
            }
        case .processes: return try ProcessPool(options: options)
        }
    }

    private static func concurrency(_ configuration: WorkerConfiguration, _ celery: CeleryConfiguration) -> Int {
        guard configuration.pool != .solo else { return 1 }
        // What is fetched ahead has to do for as many children as there may be.
        if let autoscale = configuration.autoscale, configuration.pool == .processes {
            return min(autoscale.max, CeleryConfiguration.maxConcurrency)
        }
        let wanted =
            configuration.concurrency ?? celery.workerConcurrency ?? ProcessInfo.processInfo.activeProcessorCount
        return min(max(1, wanted), CeleryConfiguration.maxConcurrency)
    }

    static func prefetch(
        _ concurrency: Int,
        _ configuration: WorkerConfiguration,
        _ celery: CeleryConfiguration
    ) -> Int {
        let multiplier = max(0, configuration.prefetchMultiplier ?? celery.workerPrefetchMultiplier)
        let (product, overflow) = concurrency.multipliedReportingOverflow(by: multiplier)
        // What has no bound has the largest: tasks for later must not come without end.
        return overflow || product > largestPrefetch || product == 0 ? largestPrefetch : product
    }

    private static func queues(
        _ configuration: WorkerConfiguration,
        _ table: QueueTable
    ) throws(CeleryError) -> [Queue] {
        var queues = table.all
        if !configuration.queues.isEmpty {
            queues = []
            for name in configuration.queues where !queues.contains(where: { $0.name == name }) {
                queues.append(try table.queue(named: name))
            }
        }
        queues.removeAll { configuration.excludedQueues.contains($0.name) }
        guard !queues.isEmpty else { throw CeleryError(.invalidConfiguration, "there is no queue to consume from") }
        return queues.map { $0.isBroadcast ? $0.forOneWorker : $0 }
    }

    private static func topology(_ queues: [Queue], prefetch: Int) -> DesiredTopology {
        var topology = DesiredTopology()
        for queue in queues { topology.add(DesiredConsumer(queue, credit: prefetch)) }
        return topology
    }

    private static func accepted(_ celery: CeleryConfiguration) throws(CeleryError) -> AcceptedContent {
        do {
            return try AcceptedContent(validating: celery.acceptContent)
        } catch {
            throw CeleryError(.invalidConfiguration, "accept_content cannot be used", underlying: error)
        }
    }
}

extension Queue {
    /// A worker's own queue of a broadcast; kombu calls it `bcast.<uuid>`.
    fileprivate var forOneWorker: Queue {
        var queue = self
        queue.name = "bcast.\(TaskID.make())"
        return queue
    }
}
