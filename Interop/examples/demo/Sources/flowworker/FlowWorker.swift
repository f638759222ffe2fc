import Celery
import CeleryCommandLine
import CeleryWorker
import FoundationEssentials

/// A worker with the tasks of the workflows in `scenarios/workflows`: those of `proj/flows.py`, one for one.
@main
struct FlowWorker: CeleryApplication {
    /// The queues of one fleet, which other fleets on the same broker do not see.
    static func configuration() throws -> CeleryConfiguration {
        let variables = ProcessInfo.processInfo.environment
        var configuration = CeleryConfiguration(environment: variables)
        if let queue = variables["FLOW_DEFAULT_QUEUE"] { configuration.taskDefaultQueue = queue }
        if let prefix = variables["FLOW_CHORD_PREFIX"] { configuration.chordQueuePrefix = prefix }
        return configuration
    }

    static func register(_ tasks: inout TaskRegistry) throws {
        ValueTasks.register(in: &tasks)
        EndingTasks.register(in: &tasks)
        FollowingTasks.register(in: &tasks)
    }
}
