import Celery
import CeleryWorker

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The demonstration tasks, one for one as `Interop/python/proj/tasks.py` has them for Python.
enum DemoTasks {
    /// Longest sleep that a caller may ask for, in seconds.
    private static let longestSleep = 86_400.0

    static func register(in tasks: inout TaskRegistry) {
        registerArithmetic(in: &tasks)
        registerWaiting(in: &tasks)
        registerOutcomes(in: &tasks)
    }

    private static func registerArithmetic(in tasks: inout TaskRegistry) {
        tasks.register("demo.add", arguments: "x", "y") { (x: Int, y: Int) in
            try add(x, y)
        }
        tasks.register("demo.mul", arguments: "x", "y") { (x: Int, y: Int) in
            try multiply(x, y)
        }
        tasks.register("demo.xsum", arguments: "numbers") { (numbers: [Int]) in
            try numbers.reduce(0, add)
        }
        tasks.registerUntyped("demo.echo") { _, args, kwargs in
            ["args": .array(args), "kwargs": .object(kwargs)]
        }
    }

    private static func registerWaiting(in tasks: inout TaskRegistry) {
        tasks.register("demo.sleep", arguments: "seconds") { (seconds: Double) in
            try await Task.sleep(for: .seconds(try checked(seconds)))
            return seconds
        }
        // Holds its thread, as a call of a C library without an asynchronous form does.
        tasks.register("demo.block", arguments: "seconds") { (seconds: Double) in
            var rest = try checked(seconds)
            while rest > 0 {
                usleep(UInt32(min(rest, 0.5) * 1e6))
                rest -= 0.5
            }
            return seconds
        }
    }

    private static func registerOutcomes(in tasks: inout TaskRegistry) {
        tasks.register("demo.fail", arguments: Parameter("message", default: "boom")) { (message: String) in
            throw TaskError(type: "ValueError", message)
        }
        tasks.register(
            "demo.retry",
            arguments: Parameter("times", default: 1),
            Parameter("countdown", default: 0.1),
            options: TaskRegistrationOptions(maxRetries: nil)
        ) { (context: TaskContext, times: Int, countdown: Double) in
            guard context.retries < times else { return context.retries }
            throw Retry(
                after: .seconds(try checked(countdown)),
                cause: TaskError(type: "RuntimeError", "attempt \(context.retries + 1)")
            )
        }
        tasks.register(
            "demo.progress",
            arguments: Parameter("steps", default: 10),
            Parameter("delay", default: 0.05)
        ) { (context: TaskContext, steps: Int, delay: Double) in
            let delay = Duration.seconds(try checked(delay))
            for current in stride(from: 1, through: steps, by: 1) {
                try await context.updateState("PROGRESS", meta: ["current": .int(current), "total": .int(steps)])
                try await Task.sleep(for: delay)
            }
            return steps
        }
    }

    private static func add(_ x: Int, _ y: Int) throws -> Int {
        let (sum, overflow) = x.addingReportingOverflow(y)
        guard !overflow else { throw TaskError(type: "OverflowError", "the sum has more than 64 bits") }
        return sum
    }

    private static func multiply(_ x: Int, _ y: Int) throws -> Int {
        let (product, overflow) = x.multipliedReportingOverflow(by: y)
        guard !overflow else { throw TaskError(type: "OverflowError", "the product has more than 64 bits") }
        return product
    }

    private static func checked(_ seconds: Double) throws -> Double {
        guard (0...longestSleep).contains(seconds) else {
            throw TaskError(type: "ValueError", "seconds must be from 0 to \(Int(longestSleep))")
        }
        return seconds
    }
}
