import AMQP
import CeleryProtocol
import CeleryTestKit
import Logging
import Synchronization

@testable import Celery

/// Stands in for a worker: answers every task of a queue as it is told, over the broker in memory.
final class FakeWorker: Sendable {
    typealias Answer = @Sendable (TaskMessage) -> [ResultMessage]

    private let received = Mutex<[TaskMessage]>([])
    private let session: Mutex<(any BrokerConnection)?> = Mutex(nil)
    private let broker: InMemoryBroker
    private let queue: String
    private let answer: Answer

    init(_ broker: InMemoryBroker, queue: String = "celery", answer: @escaping Answer) {
        self.broker = broker
        self.queue = queue
        self.answer = answer
    }

    /// The tasks so far.
    var tasks: [TaskMessage] { received.withLock { $0 } }

    /// Starts to consume; answers go out at once.
    func start() async throws {
        let connection = try await broker.connect(.consume)
        let channel = try await connection.openChannel()
        _ = try await channel.declareQueue(QueueDeclaration(name: queue))
        session.withLock { $0 = connection }
        _ = try await channel.consume(queue) { [weak self] event in
            guard case .deliveries(let messages) = event else { return }
            for message in messages {
                channel.settle(message.deliveryTag, .ack)
                self?.handle(message)
            }
        }
    }

    func stop() async {
        let connection = session.withLock { session in
            defer { session = nil }
            return session
        }
        await connection?.close()
    }

    private func handle(_ message: IncomingMessage) {
        guard let task = try? TaskMessage.decode(properties: message.properties, body: message.body) else { return }
        received.withLock { $0.append(task) }
        for result in answer(task) { broker.send(result, for: task) }
    }
}

extension InMemoryBroker {
    /// Publishes a result as a worker does; answers whether there was a queue for it.
    @discardableResult
    func send(_ result: ResultMessage, for task: TaskMessage) -> Bool {
        guard let replyTo = task.replyTo else { return false }
        return send(result, to: replyTo)
    }

    @discardableResult
    func send(_ result: ResultMessage, to queue: String) -> Bool {
        let message = OutgoingMessage(
            routingKey: queue,
            properties: result.properties(),
            body: result.encoded()
        )
        return (try? publish(message)) != nil
    }
}

extension FakeWorker {
    /// Adds the arguments.
    static let adding: Answer = { task in
        let sum = task.body.args.compactMap(\.intValue).reduce(0, +)
        return [ResultMessage(taskID: task.headers.id, state: .success, result: .int(sum))]
    }

    /// Never answers.
    static let silent: Answer = { _ in [] }
}

/// The tasks of the tests.
enum Tasks {
    static let add = TaskName("tasks.add", Int.self, Int.self, returning: Int.self)
    static let double = TaskName("tasks.double", Int.self, returning: Int.self)
    static let label = TaskName("tasks.label", Int.self, String.self, returning: String.self)
    static let notify = TaskName("tasks.notify", String.self, returning: NoResult.self)
}

struct Resize: TaskArguments {
    typealias Output = String
    static let taskName = "tasks.resize"
    var url: String
    var width: Int?
}

func testLogger() -> Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}

/// Waits until something holds.
func eventually(
    within limit: Duration = .seconds(60),
    _ condition: @Sendable () async -> Bool
) async -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return await condition()
}

/// A client, its broker and a worker of it.
func withClient(
    _ configuration: CeleryConfiguration = CeleryConfiguration(),
    answer: @escaping FakeWorker.Answer = FakeWorker.adding,
    _ body: (CeleryClient, InMemoryBroker, FakeWorker) async throws -> Void
) async throws {
    let broker = InMemoryBroker()
    let worker = FakeWorker(broker, answer: answer)
    try await worker.start()
    try await withCeleryClient(CeleryClient(broker: broker, configuration: configuration, logger: testLogger())) {
        try await body($0, broker, worker)
    }
    await worker.stop()
}
