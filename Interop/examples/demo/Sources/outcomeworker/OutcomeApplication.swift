import Celery
import CeleryCommandLine
import CeleryWorker
import FoundationEssentials
import Journal

/// The tasks and the settings.
struct OutcomeApplication: CeleryApplication {
    /// Queues whose refused messages go to another one, where `OUTCOME_QUEUES` names some; bounds of memory in KiB.
    static func configuration() throws -> CeleryConfiguration {
        let variables = ProcessInfo.processInfo.environment
        var configuration = CeleryConfiguration(environment: variables)
        configuration.taskQueues = (variables["OUTCOME_QUEUES"] ?? "").split(separator: ",").map { name in
            Queue(
                String(name),
                routingKey: String(name),
                arguments: ["x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string("\(name).dead")]
            )
        }
        configuration.workerMemoryLimitPerChild = variables["OUTCOME_MEMORY_LIMIT"].flatMap { Int($0) }
        configuration.workerMaxMemoryPerChild = variables["OUTCOME_MAX_MEMORY"].flatMap { Int($0) }
        return configuration
    }

    static func register(_ tasks: inout TaskRegistry) throws {
        let notes = Notes()
        EndingTasks(notes: notes).register(in: &tasks)
        LosingTasks(notes: notes).register(in: &tasks)
        RetryingTasks.register(in: &tasks)
        CrashTasks(notes: notes).register(in: &tasks)
        CrowdTasks().register(in: &tasks)
    }
}

/// What tasks tell the journal that `OUTCOME_JOURNAL` names; nothing where there is none.
struct Notes: Sendable {
    private let journal: Journal?
    private let process = "\(ProcessInfo.processInfo.processIdentifier)"

    init() {
        journal = ProcessInfo.processInfo.environment["OUTCOME_JOURNAL"].flatMap { Journal(path: $0) }
    }

    func begin(_ id: String) { journal?.write("begin", id, process) }
    func end(_ id: String) { journal?.write("end", id, process) }
}
