public import AMQP
public import FoundationEssentials

/// The settings of a client and of a worker, under Celery's names in lower camel case, with Celery's defaults.
///
/// Clients and workers that share queues have to agree on everything that goes into a declaration: the `taskQueues`,
/// the `taskDefault…` and `taskCreateMissing…` settings and `taskQueueMaxPriority`.
public struct CeleryConfiguration: Sendable {
    // MARK: Broker

    /// `broker_url`: where the broker is, several addresses separated by `;`.
    public var brokerURL: String = "amqp://guest:guest@localhost:5672//"
    /// `broker_read_url`: where to consume, if not at `brokerURL`.
    public var brokerReadURL: String?
    /// `broker_write_url`: where to publish, if not at `brokerURL`.
    public var brokerWriteURL: String?
    /// `broker_failover_strategy`: the order in which several addresses are tried.
    public var brokerFailoverStrategy: FailoverStrategy = .roundRobin
    /// `broker_connection_timeout`: how long connecting to one address may take.
    public var brokerConnectionTimeout: Duration = .seconds(4)
    /// `broker_connection_retry`: whether a worker that lost its connection connects again.
    public var brokerConnectionRetry: Bool = true
    /// `broker_connection_retry_on_startup`: the same for the first connection; nil follows `brokerConnectionRetry`.
    public var brokerConnectionRetryOnStartup: Bool?
    /// `broker_connection_max_retries`: further tries after which a worker gives up, 2, 4, 6 … 30 seconds apart; nil for
    /// never, 0 for after the first one.
    ///
    /// Attempts that are made in between, so that work goes on soon after the broker is back, do not count.
    public var brokerConnectionMaxRetries: Int? = 100
    /// `broker_heartbeat`: the heartbeat that is asked for; the broker may shorten it.
    ///
    /// Zero turns heartbeats off.
    public var brokerHeartbeat: Duration = .seconds(120)
    /// `broker_login_method`: how the user is proven.
    public var brokerLoginMethod: LoginMethod = .plain
    /// `broker_use_ssl`: TLS for every address, with these settings; nil leaves it to the URLs.
    public var brokerUseSSL: TLSConfiguration?

    /// `broker_native_delayed_delivery_queue_type`: the type of the queues that hold tasks with a countdown or an eta where
    /// quorum queues are in use.
    public var brokerNativeDelayedDeliveryQueueType: QueueType = .quorum

    // MARK: Messages

    /// `accept_content`: serializers, by name or MIME type, whose messages are decoded.
    public var acceptContent: Set<String> = ["json"]
    /// `result_accept_content`: the same for results; nil follows `acceptContent`.
    public var resultAcceptContent: Set<String>?
    /// `timezone`: the offset that computed times (`eta` of a countdown, `expires`, `date_done`) are written with.
    public var timezone: TimeZone = .gmt

    // MARK: Queues and routes

    /// `task_default_queue`: where tasks without a route go.
    public var taskDefaultQueue: String = "celery"
    /// `task_default_queue_type`: the type of the default queue.
    public var taskDefaultQueueType: QueueType = .classic
    /// `task_default_exchange`: exchange of queues that name none; nil for one named like the default queue.
    public var taskDefaultExchange: String?
    /// `task_default_exchange_type`: type of that exchange.
    public var taskDefaultExchangeType: String = "direct"
    /// `task_default_routing_key`: key of queues that name none; nil for the default queue's name.
    public var taskDefaultRoutingKey: String?
    /// `task_default_delivery_mode`: 2 for persistent task messages, 1 for transient ones.
    public var taskDefaultDeliveryMode: DeliveryMode = .persistent
    /// `task_default_priority`: priority of typed or registered tasks that have none.
    public var taskDefaultPriority: UInt8?
    /// `task_queues`: the queues that exist; empty for only the default one.
    public var taskQueues: [Queue] = []
    /// `task_routes`: where tasks go that name no queue.
    public var taskRoutes: [TaskRoute] = []
    /// `task_create_missing_queues`: whether a queue that is not in `taskQueues` is declared when it is named.
    public var taskCreateMissingQueues: Bool = true
    /// `task_create_missing_queue_type`: the type of such a queue.
    public var taskCreateMissingQueueType: QueueType = .classic
    /// `task_create_missing_queue_exchange_type`: exchange type of such a queue; nil for direct.
    public var taskCreateMissingQueueExchangeType: String?
    /// `task_queue_max_priority`: `x-max-priority` of every queue that does not set it itself.
    public var taskQueueMaxPriority: UInt8?

    // MARK: Sending

    /// `task_publish_retry`: whether a publish is tried again when the connection fails.
    public var taskPublishRetry: Bool = true
    /// `task_publish_retry_policy`: how it is tried again.
    public var taskPublishRetryPolicy: RetryPolicy = RetryPolicy()
    /// `task_inherit_parent_priority`: whether a task that is sent by a running task takes its priority.
    public var taskInheritParentPriority: Bool = false
    /// `task_repr_maxlevels`: how deep `argsrepr` and `kwargsrepr` show nested values.
    public var taskReprMaxLevels: Int = 3
    /// Publishes of one client that may wait for their confirm at a time; further sends wait their turn.
    ///
    /// Not a setting of Celery.
    public var publishWindow: Int = 2_000
    /// How long a send may take until the broker has taken the message: the wait for a place among the others, for a
    /// connection, for a broker that holds publishers back, and all further tries; nil for no limit.
    ///
    /// A send beyond it fails with ``CeleryError/Code/timeout``; its message may still arrive. Not a setting of Celery.
    public var publishTimeout: Duration?
    /// Largest body of a message, in bytes; a send with a larger one fails with ``CeleryError/Code/messageTooLarge``.
    ///
    /// RabbitMQ ends the channel of who sends more than its `max_message_size`, which is 128 MiB by default, and 16 MiB from
    /// 4.0 on. Not a setting of Celery.
    public var publishMaxBodySize: Int = 128 << 20

    // MARK: Tasks

    /// `task_ignore_result`: whether results are not sent unless a task or a send says otherwise.
    public var taskIgnoreResult: Bool = false
    /// `task_store_errors_even_if_ignored`: whether failures are sent even where results are ignored.
    public var taskStoreErrorsEvenIfIgnored: Bool = false
    /// `task_track_started`: whether a worker reports the state STARTED.
    public var taskTrackStarted: Bool = false
    /// `task_acks_late`: whether a message is acknowledged after its task instead of before it.
    public var taskAcksLate: Bool = false
    /// `task_acks_on_failure_or_timeout`: whether a late acknowledgement also follows a failure or a time limit.
    public var taskAcksOnFailureOrTimeout: Bool = true
    /// `task_acks_on_failure`: the same for failures alone; nil follows `taskAcksOnFailureOrTimeout`.
    public var taskAcksOnFailure: Bool?
    /// `task_acks_on_timeout`: the same for time limits alone; nil follows `taskAcksOnFailureOrTimeout`.
    public var taskAcksOnTimeout: Bool?
    /// `task_reject_on_worker_lost`: whether a late task whose worker process died goes back to the queue.
    public var taskRejectOnWorkerLost: Bool = false
    /// `task_retry_on_worker_lost`: whether a task whose process died is retried while it has retries left.
    public var taskRetryOnWorkerLost: Bool = false
    /// `task_default_rate_limit`: how often a task type that names no rate of its own may start, such as `100/m`.
    public var taskDefaultRateLimit: String?
    /// `task_time_limit`: hard limit of a task's run.
    public var taskTimeLimit: Duration?
    /// `task_soft_time_limit`: limit after which a task is cancelled.
    public var taskSoftTimeLimit: Duration?

    // MARK: Results

    /// `result_expires`: how long a reply queue without consumers is kept; nil for ever.
    public var resultExpires: Duration? = .seconds(86_400)
    /// Whether the broker deletes a client's reply queue when the client's connection is lost, with the results in it.
    ///
    /// Celery's clients declare it so. Without it, results that come in meanwhile are read after the reconnect; the client
    /// deletes the queue when it is shut down, and where it could not, the queue goes after `resultExpires`. Not a setting
    /// of Celery.
    public var resultQueueAutoDelete: Bool = false
    /// `result_persistent`: whether result messages survive a restart of the broker.
    public var resultPersistent: Bool = false
    /// `result_extended`: whether results carry the task's name, arguments, worker, retries and queue.
    public var resultExtended: Bool = false

    // MARK: Chords

    /// The beginning of the names of the queues in which chords' results come together; the same for every client and worker.
    ///
    /// Not a setting of Celery, which has no chords with `rpc://`.
    public var chordQueuePrefix: String = "swcelery.chord"
    /// How many such queues there are; each is served by one worker at a time.
    ///
    /// Not a setting of Celery.
    public var chordQueues: Int = 1
    /// `result_chord_expires`: how long after it was sent a chord fails that still misses results; zero for never, and nil for
    /// ``resultExpires``.
    ///
    /// Celery's backends forget the results then, and the chord never ends.
    public var resultChordExpires: Duration?
    /// How many tasks whose results count a chord may have; a larger one fails.
    ///
    /// Not a setting of Celery.
    public var chordMaxMembers: Int = 100_000
    /// How many bytes of manifests and results a worker keeps for all chords that are not complete.
    ///
    /// Beyond that the largest of them fails. Not a setting of Celery.
    public var chordMaxBytes: Int = 256 << 20
    /// Whether a worker serves these queues.
    ///
    /// Not a setting of Celery.
    public var workerCollectsChords: Bool = true

    // MARK: Worker

    /// `worker_concurrency`: tasks that run at a time; nil for the number of processors.
    public var workerConcurrency: Int?
    /// `worker_prefetch_multiplier`: messages per slot that are fetched ahead; 0 for no bound.
    public var workerPrefetchMultiplier: Int = 4
    /// `worker_disable_rate_limits`: whether all rate limits are ignored.
    public var workerDisableRateLimits: Bool = false
    /// Whether a task of a queue starts only while no task of an earlier queue waits in the worker.
    ///
    /// The order is that of `--queues`, or of ``taskQueues``. Not a setting of Celery.
    public var workerStrictQueueOrder: Bool = false
    /// `worker_max_tasks_per_child`: tasks that a child process runs before it is replaced; nil for no bound.
    public var workerMaxTasksPerChild: Int?
    /// `worker_max_memory_per_child`: resident memory in KiB beyond which a child process is replaced after its task.
    public var workerMaxMemoryPerChild: Int?
    /// Resident memory in KiB beyond which a child process is killed in its task, which is then lost; nil for no bound.
    ///
    /// Not a setting of Celery.
    public var workerMemoryLimitPerChild: Int?
    /// `worker_proc_alive_timeout`: how long a new child process may take until it is ready for tasks.
    public var workerProcAliveTimeout: Duration = .seconds(4)
    /// How often a task may bring down its process before it is failed and rejected for good; 0 for any number.
    ///
    /// Not a setting of Celery, where such a task comes back for ever.
    public var workerPoisonLimit: Int = 3
    /// `worker_state_db`: the file in which revoked ids outlive the worker; nil for none.
    public var workerStateDB: String?
    /// `worker_eta_task_limit`: tasks with a future `eta` that are held at a time; nil for 100,000.
    ///
    /// Celery holds any number by default. What comes beyond the bound is handed over to the delay ladder; where that is
    /// not possible, no more tasks are fetched as long as all that came were for later.
    public var workerETATaskLimit: Int?
    /// How far ahead a task's `eta` may be for a worker to hold it; nil for as far as ``workerConsumerTimeout`` allows.
    ///
    /// What is due later is handed over to the delay ladder in the broker. Fifteen minutes keep in the worker, and so in
    /// `inspect scheduled`, what people look for there: the waits of retries (three minutes by default, ten at most with
    /// `retry_backoff`) and short countdowns. It is half of the broker's default timeout, so that what is held is never
    /// handed back on the way. Not a setting of Celery.
    public var workerETAHoldLimit: Duration? = .seconds(900)
    /// How long the broker lets a delivery be unsettled before it closes the channel; nil for ever.
    ///
    /// A queue's argument `x-consumer-timeout` wins. Held deliveries go back, or to the delay ladder, before that. The
    /// default is RabbitMQ's (`consumer_timeout`). Not a setting of Celery.
    public var workerConsumerTimeout: Duration? = .seconds(1_800)
    /// `worker_soft_shutdown_timeout`: how long a cold shutdown waits for running tasks first.
    public var workerSoftShutdownTimeout: Duration = .zero
    /// `worker_enable_soft_shutdown_on_idle`: whether the soft shutdown waits although no task runs.
    public var workerEnableSoftShutdownOnIdle: Bool = false
    /// How long a warm shutdown waits for running tasks before it becomes a cold one by itself; nil for as long as they take.
    ///
    /// With this, `workerSoftShutdownTimeout` and some 5 seconds together below the time after which a process manager
    /// kills (30 seconds in Kubernetes), tasks with a late acknowledgement are back in their queue by then. Not a setting of
    /// Celery.
    public var workerShutdownGracePeriod: Duration?
    /// `worker_cancel_long_running_tasks_on_connection_loss`: whether late tasks are cancelled when the connection is lost.
    ///
    /// Where they are not, they run to their end, and the copies that the broker delivers meanwhile are held.
    public var workerCancelLongRunningTasksOnConnectionLoss: Bool = false
    /// How long a worker may be connected without proof that it consumes, before it ends with the code `consumingStopped`;
    /// nil for no watch.
    ///
    /// Deliveries are a proof, and so is the broker's word that the queue has a consumer and no message that waits for it.
    ///
    /// Not a setting of Celery.
    public var workerWatchdogTimeout: Duration? = .seconds(900)
    /// `worker_send_task_events`: whether a worker is to send events of its tasks; it has none to send yet.
    public var workerSendTaskEvents: Bool = false

    /// Makes a configuration of Celery's defaults.
    ///
    /// - Parameter broker: `broker_url`; nil for the local broker.
    public init(broker: String? = nil) {
        if let broker { brokerURL = broker }
    }
}
