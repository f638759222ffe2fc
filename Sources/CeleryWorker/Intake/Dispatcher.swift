import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

/// Takes what the broker delivers, one event after the other, and hands to the pool what can run now.
///
/// One task runs it, so that its tables need no lock: deliveries that wait for their time, copies of what still runs, and
/// the credit of consumers.
struct Dispatcher {
    /// A consuming channel.
    struct Source {
        let consumer: QueueConsumer
        var credit: ConsumerCredit
        /// How long the broker lets its deliveries be unsettled; nil for ever.
        let timeout: ConsumerTimeout?
        /// The place of its queue among all, where they are served in strict order; 0 where they are not.
        let rank: Int
    }

    /// What the dispatcher works with.
    struct Environment: Sendable {
        let intake: Intake
        let ledger: DeliveryLedger
        let tasks: TaskTable
        let pool: any ExecutionPool
        let finisher: Finisher
        /// What does not start any more.
        let check: RevocationCheck
        let counters: WorkerCounters
        let settings: DispatcherSettings
        /// Where tasks for much later go; nil where the worker keeps all.
        let handover: Handover?
        let log: TaskLog
        /// Runs a piece of work beside the dispatcher.
        let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    }

    let environment: Environment
    var parked = EtaHeap<ParkedDelivery>()
    /// What waits for the rate limit of its type.
    var limiter: RateLimiter<ParkedDelivery>
    var ranks: QueueRanks?
    var duplicates = DuplicateTable<TaskRequest>()
    var sources: [ChannelEpoch: Source] = [:]
    var ready: [TaskRequest] = []
    var packer = MessagePacker()
    /// How many deliveries are on their way to the delay ladder.
    var handovers = 0
    var nextTick: Int64?
    var nextRateTick: ContinuousClock.Instant?
    /// The time at the last sweep, or a later one: what arrives now is not older.
    var coarseNow = ContinuousClock.now
    var isSweeping = false
    /// Queues whose time limits were checked against the broker's.
    var checkedQueues: Set<String> = []
    var hasReportedFullHeap = false
    var hasReportedFullLines = false
    /// Whether a consumer got no fresh credit because too much waits here, or by the ladder.
    var withheldCredit = false
    var isHolding = false
    var isDraining = false

    init(_ environment: Environment) {
        self.environment = environment
        let isLimiting = environment.settings.limitsRates
        let limited = isLimiting ? environment.tasks.all : []
        limiter = RateLimiter(limited.lazy.compactMap { task in task.limits.values.rate.map { (task.name, $0) } })
        ranks = environment.settings.strictOrder.map { QueueRanks($0) }
    }

    /// Runs until it is told to stop.
    mutating func run() async {
        while true {
            for event in await environment.intake.next() {
                if case .stop = event { return }
                handle(event)
            }
            releaseDue()
            releaseByRate()
            grantWithheldCredit()
            submit()
            scheduleTick()
            scheduleRateTick()
        }
    }

    private mutating func handle(_ event: IntakeEvent) {
        switch event {
        case .started(let consumer, let tag): begin(consumer, tag: tag)
        case .deliveries(let epoch, let messages): receive(messages, of: epoch)
        case .replaced(let epoch, let tag): replaced(epoch, by: tag)
        case .ended(let epoch, let isLost): drop(epoch, cancelsRuns: isLost)
        case .tick: nextTick = nil
        case .rateTick: nextRateTick = nil
        case .sweep: sweep()
        case .runEnded(let key, let settlement): runEnded(key, settlement)
        case .handedOver(let parcel, let outcome): handedOver(parcel, outcome)
        case .revoked(let ids): discardRevoked(ids)
        case .rateLimit(let limit, let task): setRateLimit(limit, for: task)
        case .hold:
            isHolding = true
            ready = environment.pool.close() + ready
        case .drain(let done):
            drain()
            done.open()
        case .release(let done):
            for request in duplicates.removeHeld(where: { _ in true }) { giveBack(request.delivery) }
            done.open()
        case .stop: break
        }
    }

    private mutating func begin(_ consumer: QueueConsumer, tag: String) {
        // A consumer with another credit may have been started while its channel ended, whose end was told before.
        guard environment.ledger.isOpen(consumer.epoch) else { return }
        environment.handover?.forget(consumer.queue)
        let timeout = ConsumerTimeout(of: consumer.queue, default: environment.settings.consumerTimeout)
        sources[consumer.epoch] = Source(
            consumer: consumer,
            credit: ConsumerCredit(prefetch: consumer.prefetch, consumerTag: tag),
            timeout: timeout,
            rank: ranks?.rank(of: consumer.queue.name) ?? 0
        )
        guard let timeout else { return }
        if checkedQueues.insert(consumer.queue.name).inserted { checkTimeLimits(of: consumer.queue.name, timeout) }
        coarseNow = .now
        scheduleSweep()
    }

    private mutating func replaced(_ epoch: ChannelEpoch, by tag: String?) {
        sources[epoch]?.credit.replaced(by: tag)
        guard tag != nil else { return }
        environment.counters.rotatedConsumers.add()
        // Meanwhile the new one may have got nothing but tasks for later, too.
        replaceConsumerIfNeeded(epoch)
    }

    private mutating func submit() {
        guard !ready.isEmpty, !isHolding else { return }
        if ranks != nil { putInOrder() }
        for refused in environment.pool.submit(ready) { giveBack(refused.delivery) }
        ready.removeAll(keepingCapacity: true)
    }

    /// Puts what is ready in the order of its queues, and what is in line already behind that, where its queue is.
    private mutating func putInOrder() {
        let ranks = sources.mapValues(\.rank)
        let rank: (TaskRequest) -> Int = { ranks[$0.epoch] ?? .max }
        guard let first = ready.lazy.map(rank).min() else { return }
        let behind = environment.pool.withdraw { rank($0) > first }
        // A stable sort: within a queue the order stays.
        ready = (behind + ready).enumerated().map { (rank($1), $0, $1) }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    func giveBack(_ delivery: DeliveryID) {
        environment.counters.returned.add()
        environment.ledger.settle(delivery, .reject(requeue: true))
    }
}

/// The settings of a dispatcher.
struct DispatcherSettings: Sendable {
    /// How many deliveries may wait for their time.
    ///
    /// Celery has no bound by default; this one keeps a flood of far `eta`s from being fetched without end.
    var etaLimit = Self.defaultETALimit
    /// How many deliveries may wait for the rate limits of their types.
    var rateLimitedLimit = Self.largestRateLimitedLimit
    /// Whether rate limits count at all.
    var limitsRates = true
    /// The queues whose tasks start in strict order, the most urgent first; nil for the order of arrival.
    var strictOrder: [String]?
    /// How far ahead a task's `eta` may be for it to wait in the worker; nil for as far as the broker allows.
    var etaHoldLimit: Duration?
    /// How long the broker lets a delivery be unsettled; nil for ever.
    var consumerTimeout: Duration?
    /// Whether late-acknowledged tasks are cancelled when their channel is lost.
    var cancelsOnConnectionLoss = false
    var timezone: TimeZone = .gmt
    var accepted: AcceptedContent = .json
    /// Whose results are a chord's, and so are never ignored.
    var collector = ChordCollector(CeleryConfiguration())

    /// 200 MB of them at the most that one takes.
    static let defaultETALimit = 100_000
    /// What one worker fetches and cannot start, no other one can start either.
    static let largestRateLimitedLimit = 10_000
}

extension DispatcherSettings {
    init(_ celery: CeleryConfiguration, accepted: AcceptedContent, queues: [Queue]) {
        etaLimit = celery.workerETATaskLimit ?? Self.defaultETALimit
        rateLimitedLimit = min(etaLimit, Self.largestRateLimitedLimit)
        limitsRates = !celery.workerDisableRateLimits
        strictOrder = celery.workerStrictQueueOrder ? queues.map(\.name) : nil
        etaHoldLimit = celery.workerETAHoldLimit
        consumerTimeout = celery.workerConsumerTimeout
        cancelsOnConnectionLoss = celery.workerCancelLongRunningTasksOnConnectionLoss
        timezone = celery.timezone
        self.accepted = accepted
        collector = ChordCollector(celery)
    }
}
