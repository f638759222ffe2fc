import AMQP
import Celery
import CeleryProtocol
import Logging
import Synchronization

/// Listens to the events of the other workers: who lives, what time it is, and who is to do what only one must do.
///
/// Source of the rules: `celery.worker.consumer.gossip`.
final class Gossip: Sendable {
    /// What it works with.
    struct Environment: Sendable {
        let hostname: String
        let processID: Int
        /// Its queue of events.
        let consumer: DesiredConsumer
        let consuming: ConsumerSupervisor
        /// The worker's clock.
        let clock: LogicalClock
        /// The content types of events that are read.
        let accept: AcceptedContent
        /// Sends an event of this type with these fields of its own.
        let send: @Sendable (_ type: String, _ fields: JSONObject) -> Void
        /// Does what an election was about.
        let winner: ElectionWinner
        /// Where its own tasks run.
        let executor: ThreadExecutor
        let logger: Logger
        /// How often missing heartbeats are looked for.
        var interval = Duration.seconds(5)
    }

    private enum Input: Sendable {
        case messages([IncomingMessage])
        case election(id: String, topic: String, action: JSONValue)
        case check
        case expire
    }

    private struct State {
        var nodes = GossipNodes()
        var elections: Elections
        var isArmed = false
    }

    /// How many inputs may wait: with more of them events are lost, which costs nothing but a late clock.
    private static let backlog = 1_000
    /// Events are short: what is larger is none of a worker.
    private static let limits = JSONLimits(maxDepth: 32, maxBytes: 1 << 20)
    /// Names and ids are short, too.
    static let longestName = 255

    private let environment: Environment
    private let state: Mutex<State>
    private let dropped = Atomic(0)
    private let inputs: AsyncStream<Input>
    private let inbox: AsyncStream<Input>.Continuation

    init(_ environment: Environment) {
        self.environment = environment
        let elections = Elections(node: environment.hostname, pid: environment.processID)
        state = Mutex(State(elections: elections))
        (inputs, inbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.backlog))
    }

    private var logger: Logger { environment.logger }

    /// The names of the other workers that live, as far as is known, sorted.
    var neighbors: [String] { state.withLock { $0.nodes.alive(.now) }.sorted() }

    /// Runs until the task is cancelled.
    func run() async {
        environment.consuming.addConsumer(environment.consumer) { [self] event, _ in
            if case .deliveries(let messages) = event { post(.messages(messages)) }
        }
        let ticker = Task(executorPreference: environment.executor) { [self] in
            while !Task.isCancelled {
                await Alarm.sleep(environment.interval)
                post(.check)
            }
        }
        for await input in inputs { handle(input) }
        ticker.cancel()
    }

    /// Takes part in an election (the command `election`).
    func election(id: String, topic: String, action: JSONValue) {
        post(.election(id: id, topic: topic, action: action))
    }

    private func post(_ input: Input) {
        guard case .dropped = inbox.yield(input) else { return }
        let count = dropped.add(1, ordering: .relaxed).newValue
        guard count.nonzeroBitCount == 1 else { return }
        logger.warning("gossip: there are too many events, some are dropped", metadata: ["dropped": "\(count)"])
    }

    private func handle(_ input: Input) {
        switch input {
        case .messages(let messages): for message in messages { receive(message) }
        case .election(let id, let topic, let action):
            vote { $0.elections.begin(id: id, topic: topic, action: action, now: .now) }
        case .check: note(state.withLock { $0.nodes.check(.now) })
        case .expire:
            state.withLock { $0.isArmed = false }
            vote { $0.elections.expire(.now) }
        }
    }
}

// MARK: - Events

extension Gossip {
    private func receive(_ message: IncomingMessage) {
        do throws(ProtocolError) {
            let events = try EventMessage.events(
                message.properties,
                body: message.body,
                accept: environment.accept,
                limits: Self.limits
            )
            let sender = message.properties.headers?["hostname"]?.stringValue
            for event in events { receive(event, from: sender ?? event.hostname) }
        } catch {
            logger.error("gossip: an event cannot be read", metadata: ["error": "\(error)"])
        }
    }

    private func receive(_ event: EventMessage, from sender: String) {
        guard !sender.isEmpty, sender.utf8.count <= Self.longestName else { return }
        switch event.type {
        case "worker-elect": requested(event)
        case "worker-elect-ack":
            guard let id = name("id", of: event) else { return }
            vote { $0.elections.acknowledged(id: id, alive: $0.nodes.alive(.now)) }
        case _ where sender == environment.hostname: environment.clock.forward()
        default:
            if let time = event.clock { environment.clock.adjust(time) } else { environment.clock.forward() }
            note(heard(event, from: sender))
        }
    }

    private func heard(_ event: EventMessage, from sender: String) -> [GossipNodes.Change] {
        guard event.group == "worker" else { return [] }
        return state.withLock { state in
            guard event.type != "worker-offline" else { return state.nodes.left(sender) }
            return state.nodes.heard(
                from: sender,
                interval: event.fields["freq"]?.doubleValue,
                isStart: event.type == "worker-online",
                now: .now
            )
        }
    }

    private func note(_ changes: [GossipNodes.Change]) {
        for change in changes {
            switch change {
            case .joined(let node): logger.debug("\(node.loggable) joined the party")
            case .left(let node): logger.debug("\(node.loggable) left")
            case .lost(let node): logger.info("missed heartbeat from \(node.loggable)")
            case .forgotten(let node): logger.warning("gossip: too many nodes, \(node.loggable) is forgotten")
            }
        }
    }
}

// MARK: - Elections

extension Gossip {
    private func requested(_ event: EventMessage) {
        guard let id = name("id", of: event), let topic = name("topic", of: event), let clock = event.clock,
            let pid = event.processID, !event.hostname.isEmpty, event.hostname.utf8.count <= Self.longestName
        else {
            logger.error("election request missing field", metadata: ["node": "\(event.hostname.loggable)"])
            return
        }
        let request = Elections.Request(
            clock: clock,
            node: event.hostname,
            pid: pid,
            topic: topic,
            action: event.fields["action"] ?? .null
        )
        vote { $0.elections.requested(id: id, request, alive: $0.nodes.alive(.now), now: .now) }
    }

    private func name(_ key: String, of event: EventMessage) -> String? {
        guard let text = event.fields[key]?.stringValue, text.utf8.count <= Self.longestName else { return nil }
        return text
    }

    private func vote(_ body: (inout State) -> [Elections.Action]) {
        let (actions, mustArm) = state.withLock { state in
            let actions = body(&state)
            let mustArm = !state.isArmed && state.elections.nextDeadline != nil
            state.isArmed = state.isArmed || mustArm
            return (actions, mustArm)
        }
        if mustArm { Alarm.after(Elections.patience) { [weak self] in self?.post(.expire) } }
        for action in actions { perform(action) }
    }

    private func perform(_ action: Elections.Action) {
        switch action {
        case .announce(let id, let topic, let action):
            environment.send(
                "worker-elect",
                ["id": .string(id), "topic": .string(topic), "action": action, "cver": 1]
            )
        case .acknowledge(let id): environment.send("worker-elect-ack", ["id": .string(id)])
        case .won(let id, let topic, let action):
            logger.info("I won the election \(PythonRepr.repr(.string(id)).loggable)")
            environment.winner.perform(topic: topic, action: action)
        case .elected(let id, let leader):
            logger.info("node \(leader.loggable) elected for \(PythonRepr.repr(.string(id)).loggable)")
        case .dropped(let id):
            logger.warning("gossip: too many elections, one is given up", metadata: ["id": "\(id.loggable)"])
        }
    }
}
