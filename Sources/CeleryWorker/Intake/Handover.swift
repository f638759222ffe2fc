import AMQPValues
import Celery
import DequeModule
import Logging
import Synchronization

/// A parked delivery on its way to the delay ladder.
final class HandoverParcel: Sendable {
    let parked: ParkedDelivery
    /// The queue that the message comes back to.
    let queue: Queue

    init(_ parked: ParkedDelivery, queue: Queue) {
        self.parked = parked
        self.queue = queue
    }
}

/// What became of a hand-over.
enum HandoverOutcome: Sendable, Hashable {
    /// The ladder holds the message, and the delivery is acknowledged.
    case done
    /// The worker still has it.
    case failed
}

/// What hand-over needs of the delay ladder.
protocol DelayLadderAccess: Sendable {
    /// Whether messages of the queue can travel by the ladder at all.
    func admits(_ queue: Queue) -> Bool
    /// Makes sure that the ladder is there and leads back to the queue, waiting for a connection if there is none.
    ///
    /// Cheap when that is known of the connection in use.
    func prepare(_ queue: String) async throws(CeleryError)
    /// Lets the next preparation ask the broker again: the queue may have been deleted and made anew, without its bindings.
    func forget(_ queue: Queue)
    /// The message that comes back to the queue after so many seconds.
    func message(
        _ original: IncomingMessage,
        queue: String,
        seconds: Int
    ) throws(CeleryError) -> OutgoingMessage
}

/// Sends deliveries that are due much later to the delay ladder, where they wait in the broker's queues.
///
/// A delivery is acknowledged when the broker has confirmed the copy, never before: a loss in between leaves two copies,
/// never none. At most a window of copies is unconfirmed at a time; the rest waits its turn, unsettled.
final class Handover: Sendable {
    private struct State {
        var waiting: Deque<HandoverParcel> = []
        var isWorking = false
        /// Queues for which nothing is tried until then.
        var pauses: [String: ContinuousClock.Instant] = [:]
    }

    /// How many copies may be unconfirmed.
    static let window = 500
    /// How long a queue's deliveries stay in the worker after a hand-over has failed.
    static let pause: Duration = .seconds(60)

    private let ladder: any DelayLadderAccess
    private let publisher: ConfirmPublisher
    private let ledger: DeliveryLedger
    private let intake: Intake
    private let counters: WorkerCounters
    private let logger: Logger
    private let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private let unconfirmed = PublishWindow(messages: window)
    private let state = Mutex(State())

    /// Makes a hand-over.
    ///
    /// - Parameters:
    ///   - ladder: how the ladder is reached.
    ///   - publisher: where copies are published.
    ///   - ledger: where deliveries are acknowledged.
    ///   - intake: where outcomes are told.
    ///   - counters: where they are counted.
    ///   - logger: where failures are logged.
    ///   - spawn: runs a piece of work beside the caller.
    init(
        ladder: any DelayLadderAccess,
        publisher: ConfirmPublisher,
        ledger: DeliveryLedger,
        intake: Intake,
        counters: WorkerCounters,
        logger: Logger,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.ladder = ladder
        self.publisher = publisher
        self.ledger = ledger
        self.intake = intake
        self.counters = counters
        self.logger = logger
        self.spawn = spawn
    }

    /// Whether deliveries of the queue may be handed over at present.
    func accepts(_ queue: Queue) -> Bool {
        let isPaused = state.withLock { state in
            guard let end = state.pauses[queue.name] else { return false }
            if end > .now { return true }
            state.pauses[queue.name] = nil
            return false
        }
        return !isPaused && ladder.admits(queue)
    }

    /// A queue is consumed anew: what is known of its way back from the ladder may be out of date.
    func forget(_ queue: Queue) { ladder.forget(queue) }

    /// Takes a delivery; what becomes of it is told by `IntakeEvent.handedOver`.
    func submit(_ parcel: HandoverParcel) {
        let mustStart = state.withLock { state in
            state.waiting.append(parcel)
            defer { state.isWorking = true }
            return !state.isWorking
        }
        if mustStart { spawn { await self.work() } }
    }

    /// Takes back deliveries that satisfy the condition and were not published yet; no event tells of them.
    func withdraw(where condition: (HandoverParcel) -> Bool) -> [HandoverParcel] {
        state.withLock { state in
            let withdrawn = state.waiting.filter(condition)
            guard !withdrawn.isEmpty else { return [] }
            state.waiting.removeAll(where: condition)
            return Array(withdrawn)
        }
    }
}

extension Handover {
    private func work() async {
        while let parcel = next() {
            await unconfirmed.waitForRoom()
            do {
                try await handOver(parcel)
            } catch {
                fail(parcel, error)
            }
        }
    }

    private func next() -> HandoverParcel? {
        state.withLock { state in
            let parcel = state.waiting.popFirst()
            if parcel == nil { state.isWorking = false }
            return parcel
        }
    }

    private func handOver(_ parcel: HandoverParcel) async throws(CeleryError) {
        guard accepts(parcel.queue) else { return report(parcel, .failed) }
        try await ladder.prepare(parcel.queue.name)
        // Of a lost channel the broker has the delivery back; too late for the ladder it is due here.
        let seconds = Int(min((parcel.parked.eta - WorkerClock.now()) / 1_000_000, Int64(Int32.max)))
        guard ledger.isLive(parcel.parked.delivery), seconds > 0 else { return report(parcel, .failed) }
        let message = try message(parcel, seconds: seconds)
        unconfirmed.enter(bytes: message.body.count)
        publisher.post(message) { verdict in
            self.answered(parcel, verdict)
            self.unconfirmed.leave(bytes: message.body.count)
        }
    }

    private func message(_ parcel: HandoverParcel, seconds: Int) throws(CeleryError) -> OutgoingMessage {
        let original: IncomingMessage
        do {
            original = try MessageUnpacker.unpack(parcel.parked.message)
        } catch {
            throw CeleryError(.decoding, "a held message cannot be read again", underlying: error)
        }
        return try ladder.message(original, queue: parcel.queue.name, seconds: seconds)
    }

    private func answered(_ parcel: HandoverParcel, _ verdict: ConfirmPublisher.Verdict) {
        switch verdict {
        case .confirmed:
            counters.handedOver.add()
            ledger.settle(parcel.parked.delivery, .ack)
            report(parcel, .done)
        case .unroutable(let error), .failed(let error):
            fail(parcel, CeleryError(error, "the delay ladder does not take the message"))
        }
    }

    private func fail(_ parcel: HandoverParcel, _ error: CeleryError) {
        counters.failedHandovers.add()
        let isFirst = state.withLock { $0.pauses.updateValue(.now + Self.pause, forKey: parcel.queue.name) == nil }
        if isFirst {
            logger.warning(
                "Tasks for later cannot be handed over to the delay ladder and stay in the worker",
                error: error,
                metadata: ["queue": "\(parcel.queue.name)", "seconds": "\(Self.pause.seconds)"]
            )
        }
        report(parcel, .failed)
    }

    private func report(_ parcel: HandoverParcel, _ outcome: HandoverOutcome) {
        intake.post(.handedOver(parcel, outcome))
    }
}
