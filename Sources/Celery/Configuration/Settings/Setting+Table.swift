internal import AMQP
internal import FoundationEssentials

extension Setting {
    /// Every setting of ``CeleryConfiguration``, in its order.
    static let all: [Setting] = broker + messages + queues + sending + tasks + results + worker

    /// The settings by their names.
    static let byKey = Dictionary(all.map { ($0.key, $0) }) { first, _ in first }

    private static let broker: [Setting] = [
        .text("broker_url", \.brokerURL, isSecret: true),
        .text("broker_read_url", optional: \.brokerReadURL, isSecret: true),
        .text("broker_write_url", optional: \.brokerWriteURL, isSecret: true),
        .choice("broker_failover_strategy", \.brokerFailoverStrategy),
        .seconds("broker_connection_timeout", \.brokerConnectionTimeout),
        .flag("broker_connection_retry", \.brokerConnectionRetry),
        .flag("broker_connection_retry_on_startup", optional: \.brokerConnectionRetryOnStartup),
        .integer("broker_connection_max_retries", optional: \.brokerConnectionMaxRetries),
        .seconds("broker_heartbeat", \.brokerHeartbeat),
        .choice("broker_login_method", \.brokerLoginMethod),
        Setting("broker_use_ssl", optional: \.brokerUseSSLSetting, .structure, read: StructuredSetting.encryption),
        .choice("broker_native_delayed_delivery_queue_type", \.brokerNativeDelayedDeliveryQueueType),
    ]

    private static let messages: [Setting] = [
        Setting("accept_content", \.acceptContent, .list) { value throws(SettingError) in Set(try value.asList) },
        Setting("result_accept_content", optional: \.resultAcceptContent, .list) { value throws(SettingError) in
            Set(try value.asList)
        },
        Setting("timezone", \.timezone, .text, read: StructuredSetting.timeZone),
    ]

    private static let queues: [Setting] = [
        .text("task_default_queue", \.taskDefaultQueue),
        .choice("task_default_queue_type", \.taskDefaultQueueType),
        .text("task_default_exchange", optional: \.taskDefaultExchange),
        .text("task_default_exchange_type", \.taskDefaultExchangeType),
        .text("task_default_routing_key", optional: \.taskDefaultRoutingKey),
        Setting("task_default_delivery_mode", \.taskDefaultDeliveryMode, .text, read: StructuredSetting.deliveryMode),
        .byte("task_default_priority", optional: \.taskDefaultPriority),
        Setting("task_queues", \.taskQueues, .structure, read: StructuredSetting.queues),
        Setting("task_routes", \.taskRoutes, .structure, read: StructuredSetting.routes),
        .flag("task_create_missing_queues", \.taskCreateMissingQueues),
        .choice("task_create_missing_queue_type", \.taskCreateMissingQueueType),
        .text("task_create_missing_queue_exchange_type", optional: \.taskCreateMissingQueueExchangeType),
        .byte("task_queue_max_priority", optional: \.taskQueueMaxPriority),
    ]

    private static let sending: [Setting] = [
        .flag("task_publish_retry", \.taskPublishRetry),
        Setting("task_publish_retry_policy", \.taskPublishRetryPolicy, .structure, read: StructuredSetting.retryPolicy),
        .flag("task_inherit_parent_priority", \.taskInheritParentPriority),
        .integer("task_repr_maxlevels", \.taskReprMaxLevels),
        .integer("publish_window", \.publishWindow),
        .seconds("publish_timeout", optional: \.publishTimeout),
        .integer("publish_max_body_size", \.publishMaxBodySize),
    ]

    private static let tasks: [Setting] = [
        .flag("task_ignore_result", \.taskIgnoreResult),
        .flag("task_store_errors_even_if_ignored", \.taskStoreErrorsEvenIfIgnored),
        .flag("task_track_started", \.taskTrackStarted),
        .flag("task_acks_late", \.taskAcksLate),
        .flag("task_acks_on_failure_or_timeout", \.taskAcksOnFailureOrTimeout),
        .flag("task_acks_on_failure", optional: \.taskAcksOnFailure),
        .flag("task_acks_on_timeout", optional: \.taskAcksOnTimeout),
        .flag("task_reject_on_worker_lost", \.taskRejectOnWorkerLost),
        .flag("task_retry_on_worker_lost", \.taskRetryOnWorkerLost),
        .text("task_default_rate_limit", optional: \.taskDefaultRateLimit),
        .seconds("task_time_limit", optional: \.taskTimeLimit),
        .seconds("task_soft_time_limit", optional: \.taskSoftTimeLimit),
    ]

    private static let results: [Setting] = [
        .seconds("result_expires", optional: \.resultExpires),
        .flag("result_queue_auto_delete", \.resultQueueAutoDelete),
        .flag("result_persistent", \.resultPersistent),
        .flag("result_extended", \.resultExtended),
        .text("chord_queue_prefix", \.chordQueuePrefix),
        .integer("chord_queues", \.chordQueues),
        .integer("chord_max_members", \.chordMaxMembers),
        .integer("chord_max_bytes", \.chordMaxBytes),
        .seconds("result_chord_expires", optional: \.resultChordExpires),
    ]

    private static let worker: [Setting] = [
        .integer("worker_concurrency", optional: \.workerConcurrency),
        .integer("worker_prefetch_multiplier", \.workerPrefetchMultiplier),
        .flag("worker_disable_rate_limits", \.workerDisableRateLimits),
        .flag("worker_strict_queue_order", \.workerStrictQueueOrder),
        .integer("worker_max_tasks_per_child", optional: \.workerMaxTasksPerChild),
        .integer("worker_max_memory_per_child", optional: \.workerMaxMemoryPerChild),
        .integer("worker_memory_limit_per_child", optional: \.workerMemoryLimitPerChild),
        .seconds("worker_proc_alive_timeout", \.workerProcAliveTimeout),
        .integer("worker_poison_limit", \.workerPoisonLimit),
        .text("worker_state_db", optional: \.workerStateDB),
        .integer("worker_eta_task_limit", optional: \.workerETATaskLimit),
        .seconds("worker_eta_hold_limit", optional: \.workerETAHoldLimit),
        .seconds("worker_consumer_timeout", optional: \.workerConsumerTimeout),
        .seconds("worker_soft_shutdown_timeout", \.workerSoftShutdownTimeout),
        .flag("worker_enable_soft_shutdown_on_idle", \.workerEnableSoftShutdownOnIdle),
        .seconds("worker_shutdown_grace_period", optional: \.workerShutdownGracePeriod),
        .flag(
            "worker_cancel_long_running_tasks_on_connection_loss",
            \.workerCancelLongRunningTasksOnConnectionLoss
        ),
        .seconds("worker_watchdog_timeout", optional: \.workerWatchdogTimeout),
        .flag("worker_send_task_events", \.workerSendTaskEvents),
        .flag("worker_collects_chords", \.workerCollectsChords),
    ]
}
