extension CeleryConfiguration {
    /// Most tasks at a time that one worker takes on; `basic.qos` counts in 16 bits.
    package static let maxConcurrency = 65_535

    /// Refuses values that nothing could be done with, before anything is connected.
    ///
    /// - Throws: ``CeleryError/Code/invalidConfiguration``, naming the setting.
    package func validate() throws(CeleryError) {
        try validate(acceptContent, "accept_content")
        if let resultAcceptContent { try validate(resultAcceptContent, "result_accept_content") }
        try require(!taskDefaultQueue.isEmpty, "task_default_queue is empty")
        try require(taskQueues.allSatisfy { !$0.name.isEmpty }, "task_queues has a queue without a name")
        try require(publishWindow > 0, "the publish window has to be at least 1")
        try require(publishTimeout ?? .seconds(1) > .zero, "the publish timeout has to be positive")
        try require(publishMaxBodySize > 0, "the largest body to publish has to be at least 1 byte")
        try require(
            (1...Self.maxConcurrency).contains(workerConcurrency ?? 1),
            "worker_concurrency has to be from 1 to 65535"
        )
        try require(workerProcAliveTimeout > .zero, "worker_proc_alive_timeout has to be more than zero")
        try require(workerPoisonLimit >= 0, "worker_poison_limit is negative")
        try require(!chordQueuePrefix.isEmpty, "chord_queue_prefix is empty")
        try require(chordMaxMembers > 0, "chord_max_members has to be at least 1")
        try require(chordMaxBytes > 0, "chord_max_bytes has to be at least 1")
        try require((1...64).contains(chordQueues), "chord_queues has to be from 1 to 64")
        try require(resultChordExpires ?? .zero >= .zero, "result_chord_expires is negative")
        try require(brokerConnectionTimeout > .zero, "broker_connection_timeout has to be more than zero")
        try require(brokerHeartbeat >= .zero, "broker_heartbeat is negative")
        try require(brokerConnectionMaxRetries ?? 0 >= 0, "broker_connection_max_retries is negative")
        try require(workerPrefetchMultiplier >= 0, "worker_prefetch_multiplier is negative")
        try require(workerWatchdogTimeout ?? .seconds(1) > .zero, "the watchdog's timeout has to be more than zero")
        try require(workerETATaskLimit ?? 1 > 0, "worker_eta_task_limit has to be at least 1")
        try require(workerETAHoldLimit ?? .zero >= .zero, "the hold limit of tasks for later is negative")
        try require(workerShutdownGracePeriod ?? .zero >= .zero, "worker_shutdown_grace_period is negative")
        try require(workerSoftShutdownTimeout >= .zero, "worker_soft_shutdown_timeout is negative")
        try require(workerMaxTasksPerChild ?? 1 > 0, "worker_max_tasks_per_child has to be at least 1")
        try require(workerMaxMemoryPerChild ?? 1 > 0, "worker_max_memory_per_child has to be at least 1")
        try require(taskTimeLimit ?? .seconds(1) > .zero, "task_time_limit has to be more than zero")
        try require(taskSoftTimeLimit ?? .seconds(1) > .zero, "task_soft_time_limit has to be more than zero")
        try require(workerConsumerTimeout ?? .seconds(1) > .zero, "the consumer timeout has to be positive")
    }

    private func validate(_ accepted: Set<String>, _ setting: String) throws(CeleryError) {
        do {
            _ = try AcceptedContent(validating: accepted)
        } catch {
            throw CeleryError(.invalidConfiguration, "\(setting) cannot be used", underlying: error)
        }
    }

    private func require(_ condition: Bool, _ complaint: String) throws(CeleryError) {
        if !condition { throw CeleryError(.invalidConfiguration, complaint) }
    }
}
