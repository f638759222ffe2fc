import Celery
import CeleryWorker
import FoundationEssentials
import Logging

/// A program that has a worker inside, and governs it while it runs: `embeddedworker worker -Q QUEUES -b URL …`.
///
/// It knows the options of `swcelery worker` that the scenarios use, and two more: `--strict-queue-order 1` and
/// `--consumer-priority N`.
@main
struct EmbeddedWorker {
    static func main() async throws {
        let options = Options(CommandLine.arguments.dropFirst(2))
        var configuration = CeleryConfiguration(broker: options["-b"])
        configuration.workerStateDB = options["--statedb"]
        configuration.workerStrictQueueOrder = options["--strict-queue-order"] == "1"
        let names = (options["-Q"] ?? "celery").split(separator: ",").map(String.init)
        configuration.taskQueues = names.map { name in
            var queue = Queue(name)
            queue.consumerPriority = options["--consumer-priority"].flatMap(Int.init)
            return queue
        }
        let holder = WorkerHolder()
        var tasks = TaskRegistry()
        GovernedTasks.register(in: &tasks, holder)
        let worker = try Worker(
            configuration: WorkerConfiguration(
                concurrency: options["-c"].flatMap(Int.init),
                prefetchMultiplier: options["--prefetch-multiplier"].flatMap(Int.init),
                hostname: options["-n"] ?? "embedded@%h"
            ),
            celery: configuration,
            registry: tasks,
            logger: Logger(label: "embeddedworker")
        )
        holder.set(worker)
        let signals = Signals { worker.triggerShutdown() }
        try await worker.run()
        signals.end()
    }
}

/// The options of the command line, each with its value.
private struct Options {
    private var values: [String: String] = [:]

    init(_ words: ArraySlice<String>) {
        var words = words
        while let name = words.popFirst(), let value = words.popFirst() { values[name] = value }
    }

    subscript(name: String) -> String? { values[name] }
}
