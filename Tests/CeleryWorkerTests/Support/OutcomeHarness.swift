import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import Testing

@testable import CeleryWorker

/// A worker whose queue has a dead-letter queue, so that one can see how deliveries are settled.
struct OutcomeHarness: Sendable {
    /// The queue that the worker serves.
    static let queue = "work"
    /// Where rejected messages go.
    static let dead = "dead"
    /// A queue that nobody serves.
    static let other = "other"

    /// How the delivery of a task was settled in the end.
    enum Settled: Sendable, Hashable {
        case acknowledged
        case rejected
        /// It went back, came again and was acknowledged then.
        case requeued
    }

    let base: WorkerHarness
    var broker: InMemoryBroker { base.broker }

    static func run(
        celery: CeleryConfiguration = CeleryConfiguration(),
        concurrency: Int = 2,
        register: (inout TaskRegistry) -> Void,
        _ body: (OutcomeHarness) async throws -> Void
    ) async throws {
        var celery = celery
        celery.taskDefaultQueue = queue
        celery.taskQueues = [
            Queue(queue, arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead)])
        ]
        let broker = InMemoryBroker()
        broker.declareQueue(QueueDeclaration(name: dead))
        broker.declareQueue(QueueDeclaration(name: other))
        try await WorkerHarness.run(
            WorkerConfiguration(concurrency: concurrency),
            celery: celery,
            broker: broker,
            register: register
        ) { try await body(OutcomeHarness(base: $0)) }
    }

    /// Sends a task and waits until its delivery is settled for good.
    func settled(
        _ task: String,
        _ args: [JSONValue] = [],
        options: TaskOptions = TaskOptions(),
        location: SourceLocation = #_sourceLocation
    ) async throws -> (id: String, settled: Settled) {
        let returned = broker.messages(in: Self.dead).count
        let id = try base.send(task, args, options: options)
        try await base.queueIsEmpty(Self.queue, location: location)
        let isRejected = broker.messages(in: Self.dead).count > returned
        let cameAgain = base.logs.messages.count { $0 == "Task \(task)[\(id)] received" } > 1
        return (id, isRejected ? .rejected : cameAgain ? .requeued : .acknowledged)
    }

    /// How many tasks have ended; what follows a success is sent then.
    var endedCount: Int {
        let statistics = base.worker.statistics
        return statistics.succeeded + statistics.failed + statistics.ignored + statistics.rejected
    }

    /// The states of the results that have come for a task.
    func states(of id: String) throws -> [TaskState] { try base.results(of: id).map(\.state) }

    /// Takes the tasks out of the queue that nobody serves.
    func takeSent() throws -> [TaskMessage] {
        try broker.takeMessages(from: Self.other).map {
            try TaskMessage.decode(properties: $0.properties, body: $0.body)
        }
    }
}
