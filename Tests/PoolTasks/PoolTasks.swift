import AMQPValues
import Celery
import CeleryProtocol
public import CeleryWorker
import FoundationEssentials
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Tasks that end in every way in which a process can: the same in the worker under test and in its children.
public enum PoolTasks {
    /// Registers them all.
    public static func register(in tasks: inout TaskRegistry) {
        registerHarmless(in: &tasks)
        registerTalking(in: &tasks)
        registerOutcomes(in: &tasks)
        registerDeadly(in: &tasks)
        registerStubborn(in: &tasks)
    }

    private static func registerHarmless(in tasks: inout TaskRegistry) {
        tasks.register("pool.add", arguments: "x", "y") { (x: Int, y: Int) in x + y }
        tasks.register("pool.late", arguments: "x", options: .init(acks: .late)) { (x: Int) in x }
        tasks.register("pool.pid") { (context: TaskContext) -> Int in Int(getpid()) }
        tasks.register("pool.tracked", options: .init(trackStarted: true)) { (context: TaskContext) -> Int in
            Int(getpid())
        }
        tasks.register("pool.context") { (context: TaskContext) -> [String] in
            [
                context.id, context.hostname, context.deliveryInfo.routingKey,
                context.customHeaders["x-mine"]?.stringValue ?? "none",
                String(context.deliveryInfo.priority ?? 0),
            ]
        }
        tasks.register("pool.text", arguments: "size") { (size: Int) in String(repeating: "x", count: size) }
        tasks.register("pool.sleep", arguments: "seconds") { (seconds: Double) in
            try await Task.sleep(for: .seconds(seconds))
            return seconds
        }
        tasks.register("pool.lateSleep", arguments: "seconds", options: .init(acks: .late)) { (seconds: Double) in
            try await Task.sleep(for: .seconds(seconds))
            return seconds
        }
        tasks.register("pool.descriptors") { (context: TaskContext) -> [Int] in
            (0..<256).filter { fcntl(Int32($0), F_GETFD) >= 0 }
        }
    }

    private static func registerTalking(in tasks: inout TaskRegistry) {
        tasks.register("pool.progress", arguments: "steps") { (context: TaskContext, steps: Int) in
            for step in 1...steps { try await context.updateState("PROGRESS", meta: ["step": .int(step)]) }
            return steps
        }
        tasks.register("pool.parent") { (context: TaskContext) -> String in
            try await context.send("pool.add", args: [20, 22])
        }
        tasks.register("pool.orphan") { (context: TaskContext) -> String in
            var options = TaskOptions()
            options.queue = "there-is-none"
            do throws(CeleryError) {
                return try await context.send("pool.add", args: [1, 2], options: options)
            } catch {
                return error.code.description
            }
        }
        tasks.register("pool.fail") { (context: TaskContext) -> Int in
            throw TaskError(type: "ValueError", "no")
        }
        tasks.register("pool.retry", options: .init(retryDelay: .zero)) { (context: TaskContext) -> Int in
            guard context.retries < 2 else { return context.retries }
            throw context.retry(after: .zero, cause: TaskError(type: "ValueError", "again"))
        }
        tasks.register("pool.reject", options: .init(acks: .late)) { (context: TaskContext) -> Int in
            throw Reject("no thanks")
        }
        tasks.register("pool.ignore") { (context: TaskContext) -> Int in throw Ignore() }
    }

    /// What has happened in this process, told by its own hooks.
    private static let inits = Mutex(0)
    private static let preruns = Mutex(0)

    /// An error that only the process which has thrown it knows by its type.
    private struct Again: Error {}

    /// Adds to a result which process its middlewares have run in.
    private struct Marking: TaskMiddleware {
        func run(
            _ context: TaskContext,
            next: (TaskContext) async throws -> JSONValue
        ) async throws -> JSONValue {
            let result = try await next(context)
            guard context.name == "pool.hooks", case .array(let values) = result else { return result }
            return .array(values + [.int(Int(getpid()))])
        }
    }

    private static func registerOutcomes(in tasks: inout TaskRegistry) {
        tasks.add(Marking())
        tasks.on(.workerProcessInit) { _ in inits.withLock { $0 += 1 } }
        tasks.on(.taskPrerun) { _ in preruns.withLock { $0 += 1 } }
        tasks.register("pool.hooks") { (context: TaskContext) -> [Int] in
            [Int(getpid()), inits.withLock { $0 }, min(1, preruns.withLock { $0 })]
        }
        tasks.register("pool.replace", arguments: "x") { (context: TaskContext, x: Int) -> Int in
            throw try await context.replace(with: Signature("pool.add", args: [.int(x), 1]))
        }
        tasks.register("pool.replaceByNothing") { (context: TaskContext) -> Int in
            throw try await context.replace(with: Chain([]))
        }
        // Sends on what it was told, with its process.
        tasks.registerErrback("pool.onError") { report, context in
            let told: [JSONValue] = [
                .string(report.id), report.failure.map { .string($0.message) } ?? .null, .int(Int(getpid())),
            ]
            try await context.send("pool.told", args: told + report.args, options: TaskOptions(queue: "told"))
        }
        tasks.register("pool.failing", arguments: "text") { (context: TaskContext, text: String) -> Int in
            throw TaskError(type: "ValueError", text)
        }
        let again = AutoRetry(on: [.type(Again.self)], countdown: .zero)
        tasks.register("pool.auto", options: .init(maxRetries: 2, autoRetry: again)) { (context: TaskContext) -> Int in
            guard context.retries == 2 else { throw Again() }
            return context.retries
        }
        let expected = TaskRegistrationOptions(maxRetries: 0, autoRetry: again, expectedErrors: [.type(Again.self)])
        tasks.register("pool.expected", options: expected) { (context: TaskContext) -> Int in throw Again() }
        let limited = TaskRegistrationOptions(timeLimit: .seconds(900), softTimeLimit: .seconds(600))
        tasks.register("pool.remaining", options: limited) { (context: TaskContext) -> Bool in
            guard let rest = context.remainingTime else { return false }
            return rest <= .seconds(600) && rest > .seconds(60)
        }
    }

    private static func registerDeadly(in tasks: inout TaskRegistry) {
        tasks.register("pool.trap") { (context: TaskContext) -> Int in fatalError("on purpose") }
        tasks.register("pool.overflow") { (context: TaskContext) -> Int in dig(1) }
        tasks.register("pool.exit", arguments: "code") { (code: Int) -> Int in exit(Int32(code)) }
        tasks.register("pool.die", arguments: "signal") { (signal: Int) -> Int in
            kill(getpid(), Int32(signal))
            return 0
        }
        let comesBack = TaskRegistrationOptions(acks: .late, rejectOnWorkerLost: true)
        tasks.register("pool.poison", options: comesBack) { (context: TaskContext) -> Int in _exit(9) }
        tasks.register("pool.leak", arguments: "mebibytes") { (mebibytes: Int) in
            var hoard: [[UInt8]] = []
            for number in 0..<mebibytes {
                hoard.append([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 1 << 20))
                if number.isMultiple(of: 16) { usleep(20_000) }
            }
            return hoard.count
        }
        // Ends the conversation that its process has with the worker.
        tasks.register("pool.deaf") { (context: TaskContext) -> Int in
            shutdown(3, Int32(SHUT_RDWR))
            while true { usleep(1_000) }
        }
    }

    private static func registerStubborn(in tasks: inout TaskRegistry) {
        tasks.register("pool.spin") { (context: TaskContext) -> Int in
            var number = 0
            while number >= 0 { number = (number + 1) & 0xffff }
            return number
        }
        tasks.register("pool.block", arguments: "seconds") { (seconds: Double) in
            let end = ContinuousClock.now + .seconds(seconds)
            while ContinuousClock.now < end { usleep(5_000) }
            return seconds
        }
        tasks.register("pool.immune") { (context: TaskContext) -> Int in
            signal(SIGTERM, SIG_IGN)
            try await context.updateState("READY")
            while true { usleep(1_000) }
        }
        tasks.register("pool.hang") { (context: TaskContext) -> Int in
            while true { sleep(1) }
        }
        // Blocks, and looks by itself whether it is to end.
        tasks.register("pool.polite") { (context: TaskContext) -> Int in
            while !Task.isCancelled { usleep(1_000) }
            throw CancellationError()
        }
    }

    private static func dig(_ depth: Int) -> Int {
        var room = (depth, depth + 1, depth + 2, depth + 3)
        return withUnsafeMutablePointer(to: &room) { $0.pointee.0 &+ dig(depth &+ 1) }
    }
}
