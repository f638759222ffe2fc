import AMQP
import Celery
import CeleryProtocol
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Logging
import Testing

/// A worker over a broker in memory, with a caller that has a reply queue.
struct WorkerHarness: Sendable {
    /// The caller's reply queue.
    static let replies = "replies"

    let broker: InMemoryBroker
    let worker: Worker
    let composer: TaskComposer
    let logs: LogRecorder

    /// Runs a worker with these tasks around the body, and ends it afterwards.
    static func run(
        _ configuration: WorkerConfiguration = WorkerConfiguration(concurrency: 2),
        celery: CeleryConfiguration = CeleryConfiguration(),
        broker: InMemoryBroker = InMemoryBroker(),
        register: (inout TaskRegistry) -> Void,
        _ body: (WorkerHarness) async throws -> Void
    ) async throws {
        let harness = try WorkerHarness(configuration, celery: celery, broker: broker, register: register)
        let running = Task { try await harness.worker.run() }
        do {
            await harness.worker.waitUntilReady()
            try await body(harness)
        } catch {
            harness.worker.triggerShutdown(.cold)
            try await running.value
            throw error
        }
        harness.worker.triggerShutdown()
        try await running.value
    }

    init(
        _ configuration: WorkerConfiguration,
        celery: CeleryConfiguration,
        broker: InMemoryBroker,
        register: (inout TaskRegistry) -> Void
    ) throws {
        var registry = TaskRegistry()
        register(&registry)
        logs = LogRecorder()
        self.broker = broker
        composer = TaskComposer(configuration: celery)
        worker = try Worker(
            broker: broker,
            configuration: configuration,
            celery: celery,
            registry: registry,
            logger: logs.logger()
        )
        broker.declareQueue(QueueDeclaration(name: Self.replies, durable: false))
    }

    /// Puts a task into its queue and answers its id.
    @discardableResult
    func send(
        _ task: String,
        _ args: [JSONValue] = [],
        kwargs: JSONObject = [:],
        options: TaskOptions = TaskOptions()
    ) throws -> String {
        try send(Signature(task, args: args, kwargs: kwargs), options: options)
    }

    /// Puts a signature into its queue and answers the id of the last task.
    @discardableResult
    func send(_ signature: Signature, options: TaskOptions = TaskOptions()) throws -> String {
        let context = SendContext(replyTo: Self.replies)
        let composition = try composer.compose(signature, options: options, context: context)
        for task in composition.manifests + composition.tasks {
            if let queue = task.queue { broker.declareQueue(queue.declaration) }
            try broker.publish(task.message)
        }
        return composition.lineage.last ?? ""
    }

    /// Puts a hand-made message into the queue.
    func publish(
        headers: FieldTable? = nil,
        body: [UInt8],
        contentType: String? = "application/json",
        correlationID: String? = nil,
        replyTo: String? = WorkerHarness.replies
    ) throws {
        var properties = BasicProperties()
        properties.contentType = contentType
        properties.contentEncoding = "utf-8"
        properties.headers = headers
        properties.correlationID = correlationID
        properties.replyTo = replyTo
        try broker.publish(OutgoingMessage(routingKey: "celery", properties: properties, body: body))
    }

    /// All results that have come for the task so far.
    func results(of id: String) throws -> [ResultMessage] {
        try broker.messages(in: Self.replies)
            .map { try ResultMessage(decoding: $0.body, correlationID: $0.properties.correlationID) }
            .filter { $0.taskID == id }
    }

    /// The final result of the task, once it is there.
    func result(of id: String, location: SourceLocation = #_sourceLocation) async throws -> ResultMessage {
        var found: ResultMessage?
        try await eventually("a result of \(id)", location: location) {
            found = try results(of: id).last { $0.state.isReady }
            return found != nil
        }
        return try #require(found, sourceLocation: location)
    }

    /// Waits until nothing of the queue is left, neither waiting nor unsettled.
    func queueIsEmpty(_ queue: String = "celery", location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("\(queue) is empty", location: location) {
            broker.messages(in: queue).isEmpty && broker.unackedCount(of: queue) == 0
        }
    }
}

/// Waits until the condition holds; fails after ten seconds.
func eventually(
    _ what: String,
    location: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("did not come: \(what)", sourceLocation: location)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}
