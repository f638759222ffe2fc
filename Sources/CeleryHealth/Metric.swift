import CeleryWorker

/// One metric of the page: its name and what it means.
///
/// All names and labels are in this file. Labels are `task` (a registered task's name, bounded by ``HealthServer/taskLimit``), `outcome`
/// (`TaskMeasure.Outcome`), `queue` (a consumed queue), `hostname` (the node name) and `le` of histograms.
struct Metric: Sendable, Hashable {
    /// What Prometheus makes of the numbers.
    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    private static let prefix = "swcelery_"

    let name: String
    let kind: Kind
    let help: String

    private init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = Self.prefix + name
        self.kind = kind
        self.help = help
    }
}

// MARK: - The worker

extension Metric {
    /// A metric with what tells its number.
    typealias Level = (metric: Metric, number: @Sendable (WorkerLevels) -> Int)

    private static func level(_ name: String, _ help: String, _ number: @escaping @Sendable (WorkerLevels) -> Int)
        -> Level
    {
        (Metric("worker_" + name, .gauge, help), number)
    }

    static let info = Metric("worker_info", .gauge, "The worker; always 1.")
    static let ready = Metric("worker_ready", .gauge, "Whether /ready answers 200.")

    /// What goes up and down.
    static let levels: [Level] = [
        level("slots", "Tasks that may run at a time.") { $0.slots },
        level("busy_slots", "Slots that run a task.") { $0.busySlots },
        level("held_eta", "Deliveries that wait in the worker for their time.") { $0.heldForTime },
        level("held_rate_limited", "Deliveries that wait for the rate limits of their types.") { $0.heldForRate },
        level("handovers", "Deliveries on their way to the delay ladder.") { $0.handovers },
        level("unconfirmed_results", "Results that the broker has not confirmed.") { $0.unconfirmedResults },
        level("unconfirmed_tasks", "Published tasks that the broker has not confirmed.") { $0.unconfirmedTasks },
    ]

    static let queueConsumed = Metric("queue_consumed", .gauge, "Whether the queue has a consumer of this worker.")
    static let queueCredit = Metric(
        "queue_prefetch",
        .gauge,
        "Deliveries that one consumer may leave unsettled; 0 for no bound."
    )
    static let queueUnsettled = Metric("queue_unsettled", .gauge, "Deliveries of the queue that are not settled.")
}

// MARK: - Tasks

extension Metric {
    static let taskOutcomes = Metric("task_outcomes_total", .counter, "How messages of tasks have ended.")
    static let taskRuntime = Metric("task_runtime_seconds", .histogram, "How long the bodies of tasks ran.")
    static let taskLatency = Metric(
        "task_queue_latency_seconds",
        .histogram,
        "From a message's publishing, or its eta, to its start; of messages that tell when they were published."
    )
    static let taskWait = Metric(
        "task_prefetched_seconds",
        .histogram,
        "From a message's arrival in the worker to its start; of tasks without an eta."
    )
}

// MARK: - Statistics

extension Metric {
    /// A metric with what tells its number.
    typealias Count = (metric: Metric, number: @Sendable (WorkerStatistics) -> Int)

    private static func count(
        _ name: String,
        _ help: String,
        _ number: @escaping @Sendable (WorkerStatistics) -> Int
    ) -> Count {
        (Metric("worker_" + name, .counter, help), number)
    }

    /// Everything of `WorkerStatistics`.
    static let statistics: [Count] = [
        count("received_total", "Messages taken from the broker.") { $0.received },
        count("started_total", "Runs of tasks that began.") { $0.started },
        count("succeeded_total", "Tasks that returned a value.") { $0.succeeded },
        count("failed_total", "Tasks that failed.") { $0.failed },
        count("retried_total", "Tasks that were sent again by a retry.") { $0.retried },
        count("ignored_total", "Tasks that ended without an outcome.") { $0.ignored },
        count("rejected_total", "Tasks and messages that were rejected.") { $0.rejected },
        count("expired_total", "Tasks whose expiry had passed.") { $0.expired },
        count("revoked_total", "Tasks that were revoked before they started.") { $0.revoked },
        count("rate_limited_total", "Tasks that had to wait for their rate limit.") { $0.rateLimited },
        count("returned_total", "Deliveries given back to the broker unstarted.") { $0.returned },
        count("handed_back_total", "Deliveries given back because the broker's consumer timeout came near.") {
            $0.handedBack
        },
        count("handed_over_total", "Deliveries handed over to the delay ladder.") { $0.handedOver },
        count("failed_handovers_total", "Attempts of such a hand-over that failed.") { $0.failedHandovers },
        count("held_duplicates_total", "Messages that came again while their task was running.") { $0.heldDuplicates },
        count("settled_duplicates_total", "Messages that came again and were settled without a run.") {
            $0.settledDuplicates
        },
        count("cancelled_runs_total", "Runs that were cancelled because their channel was lost.") { $0.cancelledRuns },
        count("abandoned_total", "Runs that were reported as ended although their bodies went on.") { $0.abandoned },
        count("overdue_runs_total", "Runs that came near the broker's consumer timeout.") { $0.overdueRuns },
        count("stale_settlements_total", "Settlements that came after their channel was lost.") { $0.staleSettlements },
        count("unroutable_results_total", "Results for reply queues that do not exist any more.") {
            $0.unroutableResults
        },
        count("lost_results_total", "Results that could not be published.") { $0.lostResults },
        count("completed_chords_total", "Chords whose body this worker has sent.") { $0.completedChords },
        count("failed_chords_total", "Chords that this worker has failed.") { $0.failedChords },
        count("chord_results_total", "Results of chords' tasks that came to this worker.") { $0.chordResults },
        count("repeated_chord_results_total", "Such results that came again or belonged to no chord.") {
            $0.repeatedChordResults
        },
        count("refused_chord_messages_total", "Messages of chords that could not be read.") { $0.refusedChordMessages },
        count("consumers_total", "Consuming channels that were opened.") { $0.consumers },
        count("rotated_consumers_total", "Consumers that were replaced because held tasks had their credit.") {
            $0.rotatedConsumers
        },
        count("reconnects_total", "Consuming connections after the first one.") { $0.reconnects },
        count("publish_reconnects_total", "Publishing connections after the first one.") { $0.publishReconnects },
        count("watchdog_replacements_total", "Consuming channels that were replaced because nothing came.") {
            $0.watchdogReplacements
        },
        count("child_starts_total", "Child processes that were started.") { $0.childStarts },
        count("child_deaths_total", "Child processes that have died.") { $0.childDeaths },
        count("children_retired_total", "Child processes that were replaced in order.") { $0.childrenRetired },
        count("commands_total", "Commands of remote control that were meant for this worker.") { $0.commands },
        count("dropped_commands_total", "Such commands that were dropped because too many came at a time.") {
            $0.droppedCommands
        },
        count("sent_events_total", "Events that were made.") { $0.sentEvents },
        count("dropped_events_total", "Events and replies to remote control that were dropped.") { $0.droppedEvents },
        count("blocked_publishing_total", "How often the broker has asked to publish nothing for now.") {
            $0.blockedPublishing
        },
        (
            Metric("worker_publishing_blocked", .gauge, "Whether the broker asks to publish nothing at present."),
            { $0.isPublishingBlocked ? 1 : 0 }
        ),
    ]
}
