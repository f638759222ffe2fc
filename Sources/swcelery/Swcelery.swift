import CeleryCommandLine
import CeleryWorker

/// The executable `swcelery`: the commands, and a worker of the demonstration tasks.
@main
struct Swcelery: StartsNamedApplication {
    static let name = "swcelery"

    static func register(_ tasks: inout TaskRegistry) throws {
        DemoTasks.register(in: &tasks)
    }
}
