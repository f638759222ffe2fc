import AMQPValues
import Celery
import CeleryProtocol
import FoundationEssentials
import Synchronization

/// Sends the events of a worker.
///
/// Events of tasks go out in batches (`task.multi`): 24 at a time, or what has come together until the worker's thread turns
/// to it. All others go out alone. Nothing here blocks, and what the broker does not take gets lost, counted.
///
/// Celery: `celery.events.dispatcher.EventDispatcher`.
final class EventDispatcher: Sendable {
    private struct State {
        var groups: EventGroups
        var batch = EventBatch()
        /// A flush is on its way.
        var isFlushing = false
    }

    /// The routing key of batches.
    private static let batchKey = "task.multi"

    /// The worker's node name.
    let hostname: String
    let clock: LogicalClock
    /// The exchange of events.
    let exchange: ExchangeDeclaration
    private let publisher: SidePublisher
    private let counters: WorkerCounters
    private let writer: EventWriter
    private let properties: BasicProperties
    private let spawn: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private let sendsTasks: Atomic<Bool>
    private let state: Mutex<State>

    /// Makes the dispatcher of a worker, which declares the exchange of events on the publisher's channels.
    init(
        _ celery: CeleryConfiguration,
        hostname: String,
        clock: LogicalClock,
        publisher: SidePublisher,
        counters: WorkerCounters,
        spawn: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.hostname = hostname
        self.clock = clock
        self.publisher = publisher
        self.counters = counters
        self.spawn = spawn
        let groups = EventGroups(sendsTaskEvents: celery.workerSendTaskEvents)
        exchange = ExchangeDeclaration(name: celery.eventExchange, type: "topic")
        writer = EventWriter(
            hostname: hostname,
            utcOffset: Self.utcOffset,
            processID: ProcessIdentity.processID
        )
        properties = EventMessage.properties(hostname: hostname)
        sendsTasks = Atomic(groups.containsTasks)
        state = Mutex(State(groups: groups))
        publisher.declare(exchange)
    }

    /// How many hours west of UTC the machine's clock shows.
    static var utcOffset: Double { Double(-TimeZone.current.secondsFromGMT()) / 3600 }

    // MARK: Switches

    /// Whether events of tasks are sent.
    var isTaskEventsEnabled: Bool { sendsTasks.load(ordering: .relaxed) }

    /// Sends events of tasks from now on (`enable_events`); false if they were sent already.
    @discardableResult
    func enableTaskEvents() -> Bool { change { $0.enableTasks() } }

    /// Sends no events of tasks any more (`disable_events`).
    ///
    /// - Returns: false if they were not sent, and also where the worker was started with `-E`: as with Celery's workers they
    ///   then go on.
    @discardableResult
    func disableTaskEvents() -> Bool { change { $0.disableTasks() } }

    private func change(_ change: (inout EventGroups) -> Bool) -> Bool {
        state.withLock { state in
            let isChanged = change(&state.groups)
            sendsTasks.store(state.groups.containsTasks, ordering: .relaxed)
            return isChanged
        }
    }

    // MARK: Sending

    /// Sends an event alone, if its group is sent.
    func send(_ type: String, fields: JSONObject = [:]) {
        guard state.withLock({ $0.groups.contains(EventMessage.group(of: type)) }) else { return }
        publish(type, fields: fields, processID: ProcessIdentity.processID)
    }

    /// Sends an event alone, whatever groups are sent, as `Task.send_event` does.
    ///
    /// - Parameters:
    ///   - type: the event's type.
    ///   - fields: what the event tells.
    ///   - processID: the process that it comes from.
    func publish(_ type: String, fields: JSONObject, processID: Int) {
        let event = EventMessage(
            type: type,
            hostname: hostname,
            utcOffset: Self.utcOffset,
            processID: processID,
            clock: clock.forward(),
            fields: fields,
            timestamp: Self.now
        )
        post(event.encoded(), routingKey: EventMessage.routingKey(of: type), count: 1)
    }

    /// Sends an event of a task in a batch, if such events are sent.
    ///
    /// - Parameters:
    ///   - type: the event's type.
    ///   - fields: puts what the event tells, by ``EventWriter/put(_:_:_:)-(_,JSONValue,_)``.
    func sendTaskEvent(_ type: String, fields: (inout [UInt8]) -> Void) {
        guard isTaskEventsEnabled else { return }
        let (full, mustFlush) = state.withLock { state -> ((body: [UInt8], count: Int)?, Bool) in
            state.batch.append { output in
                writer.write(type, clock: clock.forward(), timestamp: Self.now, to: &output, fields: fields)
            }
            if state.batch.isFull { return (state.batch.take(), false) }
            guard !state.isFlushing else { return (nil, false) }
            state.isFlushing = true
            return (nil, true)
        }
        if let full { post(full.body, routingKey: Self.batchKey, count: full.count) }
        if mustFlush { spawn { self.flush() } }
    }

    /// Sends the events of tasks that wait for more.
    func flush() {
        let batch = state.withLock { state in
            state.isFlushing = false
            return state.batch.take()
        }
        if let batch { post(batch.body, routingKey: Self.batchKey, count: batch.count) }
    }

    private func post(_ body: [UInt8], routingKey: String, count: Int) {
        counters.sentEvents.add(count)
        let message = OutgoingMessage(
            exchange: exchange.name,
            routingKey: routingKey,
            mandatory: false,
            properties: properties,
            body: body
        )
        publisher.post(message, events: count)
    }

    private static var now: Double { Date().timeIntervalSince1970 }
}
