import Celery
import CeleryCommandLine
import CeleryWorker
import FoundationEssentials
import SharedTasks

/// A worker executable with tasks of its own: `exampleworker worker -Q images`, or `swcelery -A exampleworker worker -Q images`.
@main
struct ExampleWorker: CeleryApplication {
    /// An application's own settings; these two come from its own variables.
    static func configuration() throws -> CeleryConfiguration {
        let variables = ProcessInfo.processInfo.environment
        var configuration = CeleryConfiguration()
        configuration.workerCancelLongRunningTasksOnConnectionLoss = variables["EXAMPLE_CANCEL_ON_LOSS"] == "1"
        if let seconds = variables["EXAMPLE_HOLD_LIMIT"].flatMap(Double.init) {
            configuration.workerETAHoldLimit = .seconds(seconds)
        }
        return configuration
    }

    static func register(_ tasks: inout TaskRegistry) throws {
        registerArguments(&tasks)
        registerRuns(&tasks)
        registerOutcomes(&tasks)
    }

    /// The ways to take arguments and to know of the request.
    private static func registerArguments(_ tasks: inout TaskRegistry) {
        tasks.register(ResizeImage.self) { arguments, _ in
            "\(arguments.url)@\(arguments.width ?? 640)"
        }
        tasks.register("example.greet", arguments: "name", Parameter("greeting", default: "Hello")) {
            (name: String, greeting: String) in "\(greeting), \(name)!"
        }
        tasks.registerUntyped("example.request") { context, args, kwargs in
            [
                "id": .string(context.id),
                "name": .string(context.name),
                "root": .string(context.rootID),
                "parent": context.parentID.map { .string($0) } ?? .null,
                "retries": .int(context.retries),
                "tenant": (context.customHeaders["tenant"]?.stringValue).map { .string($0) } ?? .null,
                "priority": context.deliveryInfo.priority.map { .int(Int($0)) } ?? .null,
                "args": .array(args),
                "kwargs": .object(kwargs),
            ]
        }
        tasks.register("example.spawn") { (context: TaskContext, queue: String, x: Int) in
            try await context.send(DemoTasks.add(x, 1), options: TaskOptions(queue: queue))
        }
    }

    /// Tasks that take their time.
    private static func registerRuns(_ tasks: inout TaskRegistry) {
        tasks.register("example.late", options: .init(acks: .late)) { (seconds: Double) in
            try await Task.sleep(for: .seconds(seconds))
            return seconds
        }
        tasks.register("example.soft_limit", options: .init(softTimeLimit: .milliseconds(300))) { (seconds: Double) in
            try await Task.sleep(for: .seconds(seconds))
            return seconds
        }
        tasks.register("example.hard_limit", options: .init(timeLimit: .milliseconds(300))) { (seconds: Double) in
            try await Task.sleep(for: .seconds(seconds))
            return seconds
        }
    }

    /// The ways to end other than by a value.
    private static func registerOutcomes(_ tasks: inout TaskRegistry) {
        tasks.register("example.custom_error") { () throws -> Int in
            throw TaskError(type: "QuotaExceeded", module: "shop.errors", arguments: ["disk", 3, ["free": 0]])
        }
        tasks.register("example.swift_error") { () throws -> Int in
            throw DiskFull(path: "/data", missing: 17)
        }
        tasks.register("example.reject", options: .init(acks: .late)) { (reason: String) throws -> Int in
            throw Reject(reason)
        }
        tasks.register("example.ignore") { () throws -> Int in
            throw Ignore()
        }
        tasks.register("example.exhausted", options: .init(maxRetries: 1)) { (context: TaskContext) throws -> Int in
            throw context.retry(after: .milliseconds(50), cause: DiskFull(path: "/data", missing: context.retries))
        }
    }
}

/// An error of the application.
struct DiskFull: Error {
    var path: String
    var missing: Int
}
