import AMQP
import Celery
import CeleryTestKit
import CeleryWorker
import FoundationEssentials
import Logging

/// A worker in a process of its own, over a broker in memory, whose children are all busy with bodies that listen to nothing.
enum LoneWorker {
    /// The environment variable that asks for it, and names the file into which it writes the process ids of its children.
    static let variable = "SWCELERY_TEST_LONE_WORKER"

    static func run(registry: TaskRegistry, writingPidsTo path: String) async throws {
        let broker = InMemoryBroker()
        let worker = try Worker(
            broker: broker,
            configuration: WorkerConfiguration(concurrency: 2, pool: .processes),
            celery: CeleryConfiguration(),
            registry: registry,
            logger: Logger(label: "test")
        )
        let running = Task { try await worker.run() }
        await worker.waitUntilReady()
        let composer = TaskComposer(configuration: CeleryConfiguration())
        for name in ["pool.spin", "pool.hang"] {
            let composition = try composer.compose(Signature(name), options: TaskOptions(), context: SendContext())
            for task in composition.tasks { try broker.publish(task.message) }
        }
        while worker.pool.children.filter({ $0.phase == .busy }).count < 2 {
            try await Task.sleep(for: .milliseconds(5))
        }
        let pids = worker.pool.children.map { "\($0.pid)" }.joined(separator: " ")
        try Data((pids + "\n").utf8).write(to: URL(filePath: path), options: .atomic)
        try await running.value
    }
}
