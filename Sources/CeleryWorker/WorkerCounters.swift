import Synchronization

/// What a worker has done since it started.
public struct WorkerStatistics: Sendable, Hashable {
    /// Messages taken from the broker.
    public var received = 0
    /// Runs of tasks that began.
    public var started = 0
    /// Tasks that returned a value.
    public var succeeded = 0
    /// Tasks that failed.
    public var failed = 0
    /// Tasks that were sent again by a retry.
    public var retried = 0
    /// Tasks that ended without an outcome, because they threw `Ignore`.
    public var ignored = 0
    /// Tasks that threw `Reject`, and messages that were rejected because they could not be run.
    public var rejected = 0
    /// Tasks that were discarded because their expiry had passed.
    public var expired = 0
    /// Tasks that were discarded because they were revoked before they started.
    public var revoked = 0
    /// Tasks that had to wait because of their type's rate limit.
    public var rateLimited = 0
    /// Deliveries that were given back to the broker unstarted.
    public var returned = 0
    /// Deliveries among those that were given back because the broker's consumer timeout came near.
    public var handedBack = 0
    /// Deliveries of tasks for later that were handed over to the delay ladder.
    public var handedOver = 0
    /// Attempts of such a hand-over that failed; the worker keeps the delivery.
    public var failedHandovers = 0
    /// Messages that came again while their task was running here, and were held.
    public var heldDuplicates = 0
    /// Messages that came again and were settled without a second run.
    public var settledDuplicates = 0
    /// Late-acknowledged runs that were cancelled because their channel was lost.
    public var cancelledRuns = 0
    /// Runs that were reported as ended although their bodies went on in this process.
    public var abandoned = 0
    /// Late-acknowledged runs that came near the broker's consumer timeout.
    public var overdueRuns = 0
    /// Settlements that came after their channel was lost; the broker delivers such messages again.
    public var staleSettlements = 0
    /// Results for reply queues that do not exist any more.
    public var unroutableResults = 0
    /// Results that could not be published after all attempts.
    public var lostResults = 0
    /// Chords whose body this worker has sent.
    public var completedChords = 0
    /// Chords that this worker has failed.
    public var failedChords = 0
    /// Results of chords' tasks that came to this worker as their collector.
    public var chordResults = 0
    /// Results among them that came again, or belonged to no known chord.
    public var repeatedChordResults = 0
    /// Messages in the collector's queues that could not be read, and tasks of chords of other result backends.
    public var refusedChordMessages = 0
    /// Consuming channels that were opened.
    public var consumers = 0
    /// Consumers that were replaced because parked tasks held half of their prefetch credit.
    public var rotatedConsumers = 0
    /// Consuming connections that were made after the first one.
    public var reconnects = 0
    /// Publishing connections that were made after the first one.
    public var publishReconnects = 0
    /// Consuming channels that were replaced because nothing came although the broker should have delivered.
    public var watchdogReplacements = 0
    /// Child processes that were started.
    public var childStarts = 0
    /// Child processes that have died by themselves, or by a stranger's hand.
    public var childDeaths = 0
    /// Child processes that were replaced because they had run enough tasks, or had grown too large.
    public var childrenRetired = 0
    /// How often the broker has asked the worker to publish nothing for now (`connection.blocked`).
    public var blockedPublishing = 0
    /// Whether the broker asks so at present.
    public var isPublishingBlocked = false
}

/// The counters behind `WorkerStatistics`.
final class WorkerCounters: Sendable {
    /// One counter, which any thread may raise.
    final class Counter: Sendable {
        private let value = Atomic<Int>(0)

        /// Raises the counter.
        func add(_ count: Int = 1) { value.wrappingAdd(count, ordering: .relaxed) }

        /// The count so far.
        var count: Int { value.load(ordering: .relaxed) }
    }

    let received = Counter()
    let started = Counter()
    let succeeded = Counter()
    let failed = Counter()
    let retried = Counter()
    let ignored = Counter()
    let rejected = Counter()
    let expired = Counter()
    let revoked = Counter()
    let rateLimited = Counter()
    let returned = Counter()
    let handedBack = Counter()
    let handedOver = Counter()
    let failedHandovers = Counter()
    let heldDuplicates = Counter()
    let settledDuplicates = Counter()
    let cancelledRuns = Counter()
    let abandoned = Counter()
    let overdueRuns = Counter()
    let staleSettlements = Counter()
    let unroutableResults = Counter()
    let lostResults = Counter()
    let completedChords = Counter()
    let failedChords = Counter()
    let chordResults = Counter()
    let repeatedChordResults = Counter()
    let refusedChordMessages = Counter()
    let consumers = Counter()
    let rotatedConsumers = Counter()
    let reconnects = Counter()
    let publishReconnects = Counter()
    let watchdogReplacements = Counter()
    let childStarts = Counter()
    let childDeaths = Counter()
    let childrenRetired = Counter()
    let blockedPublishing = Counter()
    let isPublishingBlocked = Atomic<Bool>(false)

    /// All counts at about this time.
    var snapshot: WorkerStatistics {
        WorkerStatistics(
            received: received.count,
            started: started.count,
            succeeded: succeeded.count,
            failed: failed.count,
            retried: retried.count,
            ignored: ignored.count,
            rejected: rejected.count,
            expired: expired.count,
            revoked: revoked.count,
            rateLimited: rateLimited.count,
            returned: returned.count,
            handedBack: handedBack.count,
            handedOver: handedOver.count,
            failedHandovers: failedHandovers.count,
            heldDuplicates: heldDuplicates.count,
            settledDuplicates: settledDuplicates.count,
            cancelledRuns: cancelledRuns.count,
            abandoned: abandoned.count,
            overdueRuns: overdueRuns.count,
            staleSettlements: staleSettlements.count,
            unroutableResults: unroutableResults.count,
            lostResults: lostResults.count,
            completedChords: completedChords.count,
            failedChords: failedChords.count,
            chordResults: chordResults.count,
            repeatedChordResults: repeatedChordResults.count,
            refusedChordMessages: refusedChordMessages.count,
            consumers: consumers.count,
            rotatedConsumers: rotatedConsumers.count,
            reconnects: reconnects.count,
            publishReconnects: publishReconnects.count,
            watchdogReplacements: watchdogReplacements.count,
            childStarts: childStarts.count,
            childDeaths: childDeaths.count,
            childrenRetired: childrenRetired.count,
            blockedPublishing: blockedPublishing.count,
            isPublishingBlocked: isPublishingBlocked.load(ordering: .relaxed)
        )
    }
}
