import AMQP
import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

/// The collector of chords in a worker: an owner for each collector queue, of which the broker serves one in the fleet at a
/// time.
///
/// It comes and goes with the worker. The consumers are never cancelled while something is held: their channels are closed,
/// so that the next owner gets everything, in order.
final class ChordService: Sendable {
    /// No bound of what is held: all of a chord is, until it is complete.
    private static let credit = 0
    /// How many times `chord_max_bytes` may be in memory, with what is complete or not yet looked at.
    private static let capacityFactor = 4

    private struct Shard: Sendable {
        let consumer: DesiredConsumer
        let events: AsyncStream<ChordEvent>
        let inbox: AsyncStream<ChordEvent>.Continuation
        let owner: ChordOwner.Environment
    }

    private let shards: [Shard]
    private let consuming: ConsumerSupervisor

    /// Makes the collector of a worker.
    ///
    /// - Parameters:
    ///   - celery: the configuration.
    ///   - accept: the content types of results that are read.
    ///   - publisher: publishes what follows the chords.
    ///   - consuming: the worker's consumers.
    ///   - counters: the worker's counters.
    ///   - logger: where the collector logs.
    ///   - now: the time.
    ///   - tick: how often deadlines are looked at.
    init(
        _ celery: CeleryConfiguration,
        accept: AcceptedContent,
        publisher: ChordPublisher,
        consuming: ConsumerSupervisor,
        counters: WorkerCounters,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        tick: Duration = .seconds(1)
    ) {
        self.consuming = consuming
        // A thread of its own: large chords must not hold the worker up.
        let executor = ThreadExecutor(label: "swcelery.chords", maxThreads: 1, usualThreads: 1)
        let collector = ChordCollector(celery)
        let queues = collector.queues
        let share = max(1, celery.chordMaxBytes / queues.count)
        shards = queues.map { queue in
            let consumer = DesiredConsumer(queue, role: .chords, tagPrefix: "chords", credit: Self.credit)
            let (events, inbox) = AsyncStream.makeStream(of: ChordEvent.self)
            let owner = ChordOwner.Environment(
                queue: queue,
                collector: collector,
                limits: ChordLedger.Limits(bytes: share, members: celery.chordMaxMembers),
                timeout: ConsumerTimeout(of: queue, default: celery.workerConsumerTimeout),
                accept: accept,
                gauge: ChordGauge(capacity: Self.capacityFactor * share),
                publisher: publisher,
                counters: counters,
                log: ChordLog(logger: logger),
                executor: executor,
                now: now,
                tick: tick,
                post: { inbox.yield($0) },
                reopen: { await consuming.closeChannel(of: consumer.name) }
            )
            return Shard(consumer: consumer, events: events, inbox: inbox, owner: owner)
        }
    }

    /// Wants the queues to be consumed, and serves them until `finish`.
    func start() {
        for shard in shards {
            consuming.addConsumer(shard.consumer) { [inbox = shard.inbox, gauge = shard.owner.gauge] event, source in
                guard case .deliveries(let messages) = event else {
                    inbox.yield(.consumer(event, source))
                    return
                }
                let admission = gauge.admit(messages, from: source.epoch)
                if !admission.taken.isEmpty {
                    inbox.yield(.consumer(.deliveries(Array(admission.taken)), source))
                }
                if admission.isOverflow { inbox.yield(.full(source.epoch)) }
            }
            Task(executorPreference: shard.owner.executor) {
                var owner = ChordOwner(shard.owner)
                await owner.run(shard.events)
            }
        }
    }

    /// Begins nothing any more, and waits for what is being published, but not longer than this in all.
    func finish(limit: Duration) async {
        // All at once: they share the time, and none begins anything while another one is waited for.
        let ends = shards.map { shard in
            let done = Gate<Void>()
            shard.inbox.yield(.stop(done))
            return done
        }
        await withTaskGroup { group in
            for done in ends { group.addTask { _ = await done.wait(limit: limit) } }
        }
        for shard in shards { shard.inbox.finish() }
    }
}
