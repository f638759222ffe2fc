import CeleryCommandLine
import CeleryHealth
import CeleryWorker

/// The executable `swcelery`: the commands, and a worker of the demonstration tasks.
@main
struct Swcelery: StartsNamedApplication {
    static let name = "swcelery"
    static let healthEndpoint: (any HealthEndpoint.Type)? = HealthServer.self

    static func register(_ tasks: inout TaskRegistry) throws {
        DemoTasks.register(in: &tasks)
    }
}
