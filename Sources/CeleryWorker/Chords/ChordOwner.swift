import AMQP
import Celery
import CeleryProtocol
import DequeModule
import FoundationEssentials
import Logging

/// Serves one collector queue while the broker gives it to this worker: feeds the ledger with what comes, and does what the
/// ledger says.
///
/// One task runs it; whatever takes time is done by others, which post an event when it is done.
struct ChordOwner {
    struct Environment: Sendable {
        let queue: Queue
        /// Tells the collector's own queues from callers'.
        let collector: ChordCollector
        let limits: ChordLedger.Limits
        /// How long the broker lets a delivery be unsettled; nil for as long as one likes.
        let timeout: ConsumerTimeout?
        let accept: AcceptedContent
        /// How much is in memory.
        let gauge: ChordGauge
        let publisher: ChordPublisher
        let counters: WorkerCounters
        let log: ChordLog
        let executor: ThreadExecutor
        let now: @Sendable () -> Date
        /// How often time is looked at while something is held.
        let tick: Duration
        let post: @Sendable (ChordEvent) -> Void
        /// Closes the queue's channel; another one is opened if the worker goes on.
        let reopen: @Sendable () async -> Void
    }

    /// How many chords' followers are composed and sent at a time.
    private static let maxRunning = 64

    private let environment: Environment
    private var ledger: ChordLedger
    private var session: ChordSession?
    /// The last channel that has ended; what still comes from it comes again.
    private var endedEpoch: UInt64 = 0
    private var waiting: Deque<ChordEnding> = []
    private var running = 0
    private var ticks = false
    private var isReopening = false
    /// The size of results that are being passed on without being kept.
    private var relaying = 0
    /// The channel of which more has come than is taken in.
    private var fullEpoch: ChannelEpoch?
    private var stopped: Gate<Void>?

    init(_ environment: Environment) {
        self.environment = environment
        ledger = ChordLedger(limits: environment.limits)
    }

    private var now: Double { environment.now().timeIntervalSince1970 }

    /// Runs until the events end.
    mutating func run(_ events: AsyncStream<ChordEvent>) async {
        for await event in events {
            handle(event)
            environment.gauge.hold(ledger.bytes + relaying)
            startWaiting()
            armTick()
            giveBackIfFull()
            if let stopped, running == 0, ledger.endedCount == 0 { stopped.open() }
        }
        session?.end()
    }

    private mutating func handle(_ event: ChordEvent) {
        switch event {
        case .consumer(.deliveries(let messages), let source):
            // Counted as waiting until they are counted as held.
            defer { environment.gauge.handled(messages, holding: ledger.bytes + relaying) }
            guard stopped == nil, source.epoch.number > endedEpoch else { return }
            enter(source)
            for message in messages { receive(message) }
        case .consumer(_, let source):
            endedEpoch = max(endedEpoch, source.epoch.number)
            isReopening = false
            if session?.source.epoch == source.epoch { leave() }
        case .forwarded(let number): perform(ledger.forwarded(number))
        case .relayed(let tag, let epoch, let bytes):
            guard let session, session.source.epoch == epoch else { return }
            relaying -= bytes
            session.source.channel.settle(tag, .ack)
        case .full(let epoch):
            guard epoch.number > endedEpoch else { return }
            fullEpoch = epoch
            environment.log.full(environment.queue.name)
        case .marked(let number, let isPublished):
            if !isPublished { ledger.markFailed(number) }
        case .ended(let ending, let outcome): finish(ending, outcome)
        case .tick:
            ticks = false
            perform(ledger.tick(now: now))
            reopenInTime()
        case .stop(let gate):
            stopped = gate
            waiting = []
        }
    }
}

// MARK: - Channels

extension ChordOwner {
    /// Takes the first delivery of another channel as its beginning.
    private mutating func enter(_ source: ConsumerSource) {
        guard session?.source.epoch != source.epoch else { return }
        leave()
        session = ChordSession(source)
        environment.log.owning(environment.queue.name)
    }

    /// The channel is gone; everything comes again, to this worker or to another one.
    private mutating func leave() {
        guard let session else { return }
        session.end()
        environment.log.left(environment.queue.name, pending: ledger.count)
        self.session = nil
        waiting = []
        relaying = 0
        ledger.reset()
    }

    /// Hands everything back before the broker takes it, and with it the channel.
    private mutating func reopenInTime() {
        guard let timeout = environment.timeout, let oldest = ledger.oldest, !isReopening, stopped == nil else {
            return
        }
        let over = now - oldest - timeout.holdLimit.seconds
        // What is being published would be published twice.
        guard over >= 0, ledger.endingCount == 0 || over > timeout.margin.seconds / 2 else { return }
        environment.log.reopening(environment.queue.name, pending: ledger.count)
        reopen()
    }

    /// Asks for the rest of a queue of which too much has come, once all that could be done is done.
    ///
    /// The broker has sent more, which was dropped unread: to the ledger it has not come yet.
    private mutating func giveBackIfFull() {
        guard let fullEpoch, fullEpoch.number > endedEpoch, environment.gauge.isHandled, !isReopening, stopped == nil,
            running == 0, waiting.isEmpty, relaying == 0, ledger.endingCount == 0, ledger.unconfirmedCount == 0
        else { return }
        reopen()
    }

    private mutating func reopen() {
        isReopening = true
        let reopen = environment.reopen
        Task(executorPreference: environment.executor) { await reopen() }
    }

    private mutating func armTick() {
        guard !ticks, !ledger.isEmpty, stopped == nil else { return }
        ticks = true
        let post = environment.post
        Alarm.after(environment.tick) { post(.tick) }
    }
}

// MARK: - Messages

extension ChordOwner {
    private mutating func receive(_ message: IncomingMessage) {
        do throws(ProtocolError) {
            switch message.properties.type {
            case ChordCollector.manifestType?:
                let manifest = try manifest(message)
                perform(
                    ledger.receive(
                        manifest,
                        tag: message.deliveryTag,
                        bytes: message.body.count,
                        messageID: message.properties.messageID,
                        now: now
                    )
                )
            case ChordAddition.type?:
                var addition = try ChordAddition(decoding: message.body)
                addition.members = addition.members.map { member in withCaller(member) }
                perform(
                    ledger.receive(addition, tag: message.deliveryTag, bytes: message.body.count, now: now)
                )
            case ChordMark.type?:
                perform(ledger.receive(try ChordMark(decoding: message.body), tag: message.deliveryTag))
            default:
                environment.counters.chordResults.add()
                perform(ledger.receive(try ChordPart(message, accept: environment.accept), now: now))
            }
        } catch {
            environment.counters.refusedChordMessages.add()
            environment.log.refused(message, error)
            session?.source.channel.settle(message.deliveryTag, .reject(requeue: false))
        }
    }

    private func manifest(_ message: IncomingMessage) throws(ProtocolError) -> ChordManifest {
        guard message.body.count <= environment.limits.bytes else {
            throw ProtocolError(
                .tooLarge,
                "the manifest of a chord has \(message.body.count) bytes, more than chord_max_bytes"
            )
        }
        var manifest = try ChordManifest(decoding: JSONValue(parsing: message.body))
        for index in manifest.members.indices { manifest.members[index] = withCaller(manifest.members[index]) }
        return manifest
    }

    /// A member without a reply queue that is a collector's own.
    ///
    /// What is passed on to that would come in again, and be passed on again.
    private func withCaller(_ member: ChordManifest.Member) -> ChordManifest.Member {
        var member = member
        if environment.collector.collects(member.replyTo) { member.replyTo = nil }
        return member
    }

    private mutating func perform(_ actions: [ChordAction]) {
        for action in actions { perform(action) }
    }

    private mutating func perform(_ action: ChordAction) {
        switch action {
        case .forward(let part, let replyTo, let number): forward(part, replyTo, number)
        case .relay(let part, let targets): relay(part, targets)
        case .settle(let tags, let settlement):
            for tag in tags { session?.source.channel.settle(tag, settlement) }
        case .release(let release): self.release(release)
        case .end(let ending): waiting.append(ending)
        case .mark(let mark, let number): publish(mark, number)
        case .report(let report): note(report)
        }
    }

    private func forward(_ part: ChordPart, _ replyTo: String, _ number: ChordNumber) {
        guard let session else { return }
        let post = environment.post
        environment.publisher.forward(part, to: replyTo, in: session, environment.log) { post(.forwarded(number)) }
    }

    private mutating func relay(_ part: ChordPart, _ targets: [String]) {
        guard let session else { return }
        let post = environment.post
        let (epoch, tag, bytes) = (session.source.epoch, part.tag, part.bytes)
        relaying += bytes
        let confirms = Countdown(targets.count)
        confirms.whenZero { post(.relayed(tag, epoch, bytes: bytes)) }
        for target in targets {
            environment.publisher.forward(part, to: target, in: session, environment.log) { confirms.decrement() }
        }
    }

    private func publish(_ mark: ChordMark, _ number: ChordNumber) {
        let post = environment.post
        environment.publisher.results.post(mark.message(to: environment.queue.name)) { verdict in
            if case .confirmed = verdict {
                post(.marked(number, isPublished: true))
            } else {
                post(.marked(number, isPublished: false))
            }
        }
    }

    /// Acknowledges a chord's manifest before its results: a new owner must never find it without them.
    private func release(_ release: ChordRelease) {
        guard let channel = session?.source.channel else { return }
        for tag in release.manifests { channel.settle(tag, release.manifestSettlement) }
        guard release.needsBarrier else {
            for tag in release.rest { channel.settle(tag, .ack) }
            return
        }
        Task(executorPreference: environment.executor) {
            // The settlements above are written before this request, and those below after its answer.
            guard (try? await channel.qos(prefetchCount: 0)) != nil else { return }
            for tag in release.rest { channel.settle(tag, .ack) }
        }
    }

    private func note(_ report: ChordReport) {
        switch report {
        case .repeated, .unknown: environment.counters.repeatedChordResults.add()
        default: break
        }
        environment.log.report(report)
    }
}

// MARK: - Ends

extension ChordOwner {
    private mutating func startWaiting() {
        guard stopped == nil, let session else { return }
        while running < Self.maxRunning, let ending = waiting.popFirst() {
            running += 1
            let (publisher, post, log) = (environment.publisher, environment.post, environment.log)
            Task(executorPreference: environment.executor) {
                post(.ended(ending, await publisher.publish(ending, in: session, log)))
            }
        }
    }

    private mutating func finish(_ ending: ChordEnding, _ outcome: ChordPublisher.Outcome) {
        running -= 1
        let group = ending.manifest.groupID
        switch (outcome, ending.outcome) {
        case (.published, .body):
            environment.counters.completedChords.add()
            environment.log.completed(group, members: ending.manifest.members.count)
            perform(ledger.published(ending.number))
        case (.published, .failure(let failure)):
            environment.counters.failedChords.add()
            environment.log.failed(group, failure)
            perform(ledger.published(ending.number))
        case (.refused(let error), .body):
            environment.log.bodyRefused(group, error)
            perform(ledger.fail(ending.number, ChordEnding.Failure(message: error.message)))
        case (.refused(let error), .failure(let failure)):
            environment.counters.failedChords.add()
            environment.log.failed(group, failure)
            environment.log.failureRefused(group, error)
            perform(ledger.abandoned(ending.number))
        case (.left, _): break
        }
    }
}
