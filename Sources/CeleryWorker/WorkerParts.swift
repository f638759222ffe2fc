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
    /// When the worker was made.
    let birth = ContinuousClock.now
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
    /// Publishes what may get lost: events and remote control.
    let side: SidePublisher
    /// The logical time of this worker.
    let clock = LogicalClock()
    let events: EventDispatcher
    /// Tells that the worker lives; nil where it is not to.
    let heart: Heart?
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
    /// Listens to remote control; nil where the worker is not to.
    let mailbox: ControlMailbox?
    /// Listens to the other workers; nil where the worker is not to.
    let gossip: Gossip?
    let dispatching: Dispatcher.Environment
    /// The samples that remote control has asked for.
    let memorySamples = MemorySamples()

    init(
        broker: any Broker,
        configuration: WorkerConfiguration,
        celery: CeleryConfiguration,
        registry: TaskRegistry,
        logger: Logger
    ) throws(CeleryError) {
        let table = try registry.table(celery)
        let panel = try ControlPanel(own: registry.controls, refused: celery.workerRefusedControlCommands)
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
        let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void = { [executor] work in
            Task(executorPreference: executor) { await work() }
        }
        side = SidePublisher(counters: counters, logger: logger)
        events = EventDispatcher(
            celery,
            hostname: hostname,
            clock: clock,
            publisher: side,
            counters: counters,
            spawn: spawn
        )
        sender = TaskSender(
            composer: composer,
            publisher: tasks,
            tasks: table,
            origin: ProcessIdentity.origin,
            onSent: Self.sentEvents(celery, clock, side),
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
            signals: table.hooks.signals,
            events: events
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
        heart =
            configuration.sendsHeartbeats
            ? Heart(
                events: events,
                interval: max(configuration.heartbeatInterval, .milliseconds(100)),
                publisher: side,
                pool: pool,
                counters: counters
            ) : nil
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
                executor: executor,
                prelude: Self.prelude(
                    configuration,
                    celery,
                    broker: broker,
                    hostname: hostname,
                    revoked: RevokedIDs(revocations: revocations, intake: intake),
                    clock: clock,
                    executor: executor,
                    logger: logger
                )
            )
        )
        gossip = Self.gossip(
            configuration,
            celery,
            broker: broker,
            consuming: consuming,
            events: events,
            winner: ElectionWinner(
                handlers: registry.elections,
                sender: sender,
                executor: executor,
                logger: logger
            ),
            executor: executor,
            logger: logger
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
            side: side,
            topology: sender.topology,
            counters: counters,
            logger: logger,
            memory: memory,
            executor: executor
        )
        mailbox =
            celery.workerEnableRemoteControl
            ? ControlMailbox(
                ControlMailbox.Environment(
                    hostname: hostname,
                    celery: celery,
                    panel: panel,
                    clock: clock,
                    consuming: consuming,
                    replies: side,
                    counters: counters,
                    logger: logger
                )
            ) : nil
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

    /// What sends the event `task-sent` of what the worker sends.
    private static func sentEvents(
        _ celery: CeleryConfiguration,
        _ clock: LogicalClock,
        _ side: SidePublisher
    ) -> @Sendable (ComposedTask) -> Void {
        guard celery.taskSendSentEvent else { return { _ in } }
        return { side.post(SentEvent.message(of: $0, exchange: celery.eventExchange, clock: clock)) }
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

    /// Fetches as much ahead as so many slots need.
    func adjustCredit(to concurrency: Int) {
        consuming.setTaskCredit(Self.prefetch(concurrency, configuration, celery))
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
