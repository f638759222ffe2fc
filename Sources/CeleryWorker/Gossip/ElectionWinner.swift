import Celery
import CeleryProtocol
import Logging
import Synchronization

/// What is done by the worker that has won an election: the topic `task` sends the signature that the election was about,
/// other topics belong to the application.
struct ElectionWinner: Sendable {
    /// A handler of an application's own topic.
    typealias Handler = @Sendable (_ action: JSONValue) async throws -> Void

    /// How many actions may go on at a time: a broker that is away must not pile them up.
    private static let capacity = 100

    private let handlers: [String: Handler]
    private let sender: TaskSender
    private let executor: ThreadExecutor
    private let logger: Logger
    private let running = Running()

    private final class Running: Sendable {
        let count = Atomic(0)
    }

    init(handlers: [String: Handler], sender: TaskSender, executor: ThreadExecutor, logger: Logger) {
        self.handlers = handlers
        self.sender = sender
        self.executor = executor
        self.logger = logger
    }

    /// Does it, in a task of its own; errors are logged.
    func perform(topic: String, action: JSONValue) {
        guard running.count.load(ordering: .relaxed) < Self.capacity else {
            logger.error(
                "Too many elections were won at a time, nothing is done",
                metadata: ["topic": "\(topic.loggable)"]
            )
            return
        }
        running.count.add(1, ordering: .relaxed)
        if let handler = handlers[topic] {
            // The application's code stays away from the worker's own thread.
            Task {
                do {
                    try await handler(action)
                } catch {
                    logger.error("Ignored error from the handler of an election: \(error)")
                }
                running.count.subtract(1, ordering: .relaxed)
            }
        } else if topic == "task" {
            Task(executorPreference: executor) {
                await send(action)
                running.count.subtract(1, ordering: .relaxed)
            }
        } else {
            logger.error("Unknown election topic \(PythonRepr.repr(.string(topic)).loggable)")
            running.count.subtract(1, ordering: .relaxed)
        }
    }

    private func send(_ action: JSONValue) async {
        do throws(CeleryError) {
            let signature = try Signature(decoding: action)
            try await sender.send(sender.composer.compose(signature, context: sender.chordContext))
        } catch {
            logger.error("Could not call task", error: error)
        }
    }
}
