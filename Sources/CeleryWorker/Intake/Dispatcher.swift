import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Logging

/// Takes what the broker delivers, one event after the other, and hands to the pool what can run now.
///
/// One task runs it, so that its tables need no lock: deliveries that wait for their time, and the credit of consumers.
struct Dispatcher {
    /// A delivery that waits for its time.
    private struct Parked {
        let request: TaskRequest
        let consumerTag: String
    }

    /// A consuming channel.
    private struct Source {
        let consumer: QueueConsumer
        var credit: ConsumerCredit
    }

    /// What the dispatcher works with.
    struct Environment: Sendable {
        let intake: Intake
        let ledger: DeliveryLedger
        let tasks: TaskTable
        let pool: any ExecutionPool
        let finisher: Finisher
        let counters: WorkerCounters
        let etaLimit: Int
        let timezone: TimeZone
        let accepted: AcceptedContent
        let log: TaskLog
        /// Runs a piece of work beside the dispatcher.
        let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    }

    /// Celery has no bound of its own; this one keeps a flood of far `eta`s from being fetched without end.
    static let defaultETALimit = 10_000

    private let environment: Environment
    private var parked = EtaHeap<Parked>()
    private var sources: [ChannelEpoch: Source] = [:]
    private var ready: [TaskRequest] = []
    private var nextTick: Int64?
    private var isHolding = false
    private var isDraining = false

    init(_ environment: Environment) {
        self.environment = environment
    }

    /// Runs until it is told to stop.
    mutating func run() async {
        while true {
            for event in await environment.intake.next() {
                if case .stop = event { return }
                handle(event)
            }
            releaseDue()
            submit()
            scheduleTick()
        }
    }

    private mutating func handle(_ event: IntakeEvent) {
        switch event {
        case .started(let consumer, let tag):
            let credit = ConsumerCredit(prefetch: consumer.prefetch, consumerTag: tag)
            sources[consumer.epoch] = Source(consumer: consumer, credit: credit)
        case .deliveries(let epoch, let messages): receive(messages, of: epoch)
        case .replaced(let epoch, let tag):
            sources[epoch]?.credit.replaced(by: tag)
            if tag != nil {
                environment.counters.rotatedConsumers.add()
                // Meanwhile the new one may have got nothing but tasks for later, too.
                replaceConsumerIfNeeded(epoch)
            }
        case .ended(let epoch): drop(epoch)
        case .tick: nextTick = nil
        case .hold:
            isHolding = true
            ready = environment.pool.close() + ready
        case .drain(let done):
            drain()
            done.open()
        case .stop: break
        }
    }
}

// MARK: - Deliveries

extension Dispatcher {
    private mutating func receive(_ messages: [IncomingMessage], of epoch: ChannelEpoch) {
        // Of a lost channel nothing may start: the broker delivers it again.
        guard let ids = environment.ledger.register(epoch, tags: messages.lazy.map(\.deliveryTag)) else { return }
        environment.counters.received.add(messages.count)
        for (message, id) in zip(messages, ids) {
            if isDraining {
                giveBack(id)
            } else {
                admit(message, id, epoch)
            }
        }
    }

    private mutating func admit(_ message: IncomingMessage, _ delivery: DeliveryID, _ epoch: ChannelEpoch) {
        do {
            let envelope = try ReceivedTask.recognise(
                message.properties,
                body: message.body,
                accept: environment.accepted
            )
            guard let task = environment.tasks[envelope.headers.task] else {
                return environment.finisher.refuseUnknown(envelope, delivery, DeliveryInfo(message))
            }
            let eta = try time(envelope.headers.eta, of: envelope)
            let expires = try time(envelope.headers.expires, of: envelope)
            let request = request(for: task, envelope, message, delivery, epoch, expires: expires)
            environment.log.received(request)
            place(request, eta: eta, consumerTag: message.consumerTag ?? "")
        } catch {
            environment.finisher.refuse(message, delivery, error)
        }
    }

    private func request(
        for task: WorkerTask,
        _ envelope: TaskEnvelope,
        _ message: IncomingMessage,
        _ delivery: DeliveryID,
        _ epoch: ChannelEpoch,
        expires: Int64?
    ) -> TaskRequest {
        TaskRequest(
            task: task,
            envelope: envelope,
            delivery: delivery,
            epoch: epoch,
            info: DeliveryInfo(message),
            wantsResult: !(envelope.headers.ignoreResult ?? task.ignoresResult),
            expires: expires
        )
    }

    private mutating func place(_ request: TaskRequest, eta: Int64?, consumerTag: String) {
        guard let eta else { return ready.append(request) }
        let now = WorkerClock.now()
        if let expires = request.expires, expires < now { return environment.finisher.expire(request) }
        guard eta > now else { return ready.append(request) }
        parked.insert(Parked(request: request, consumerTag: consumerTag), due: eta)
        sources[request.epoch]?.credit.park(consumerTag)
        replaceConsumerIfNeeded(request.epoch)
    }

    /// A time of the headers in microseconds since 1970.
    private func time(_ text: String?, of envelope: TaskEnvelope) throws(ProtocolError) -> Int64? {
        guard let text else { return nil }
        let wire = try WireDate(parsing: text)
        var date = wire.date
        if wire.offsetSeconds == nil, !envelope.utc {
            let offset = environment.timezone.secondsFromGMT(for: date)
            date.addTimeInterval(-Double(offset))
        }
        return WorkerClock.microseconds(date)
    }

    private mutating func replaceConsumerIfNeeded(_ epoch: ChannelEpoch) {
        guard parked.count <= environment.etaLimit, !isHolding, sources[epoch]?.credit.shouldReplace() == true,
            let consumer = sources[epoch]?.consumer
        else { return }
        environment.spawn { await consumer.replace() }
    }
}

// MARK: - Time

extension Dispatcher {
    private mutating func releaseDue() {
        guard !parked.isEmpty else { return }
        let now = WorkerClock.now()
        while let due = parked.popDue(now: now) {
            sources[due.request.epoch]?.credit.unpark(due.consumerTag)
            ready.append(due.request)
        }
    }

    private mutating func submit() {
        guard !ready.isEmpty, !isHolding else { return }
        for refused in environment.pool.submit(ready) { giveBack(refused.delivery) }
        ready.removeAll(keepingCapacity: true)
    }

    private mutating func scheduleTick() {
        guard let due = parked.nextDue, due < nextTick ?? .max else { return }
        nextTick = due
        let wait = max(0, due - WorkerClock.now())
        Alarm.after(.microseconds(wait)) { [intake = environment.intake] in intake.post(.tick) }
    }
}

// MARK: - Ends

extension Dispatcher {
    /// Forgets what a lost channel has delivered and what has not started: the broker delivers it again.
    private mutating func drop(_ epoch: ChannelEpoch) {
        environment.ledger.close(epoch)
        sources[epoch] = nil
        var dropped = environment.pool.withdraw { $0.epoch == epoch }
        dropped += parked.removeAll { $0.request.epoch == epoch }.map(\.request)
        dropped += ready.filter { $0.epoch == epoch }
        ready.removeAll { $0.epoch == epoch }
        for request in dropped { environment.ledger.forget(request.delivery) }
    }

    /// Gives everything back to the broker that has not started, and whatever comes from now on.
    private mutating func drain() {
        isHolding = true
        isDraining = true
        for request in environment.pool.close() + ready { giveBack(request.delivery) }
        ready.removeAll()
        for parked in parked.removeAll(where: { _ in true }) { giveBack(parked.request.delivery) }
    }

    private func giveBack(_ delivery: DeliveryID) {
        environment.counters.returned.add()
        environment.ledger.settle(delivery, .reject(requeue: true))
    }
}
