import AMQP
import Celery
import FoundationEssentials
public import Logging
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The other side of the pool of child processes: a process that a worker has started to run its tasks in.
///
/// It is the worker's own executable. A ``CeleryApplication`` becomes a child by itself where it was started as one. Who
/// embeds a ``Worker`` with the pool `.processes` begins the main function so:
///
/// ```swift
/// var registry = TaskRegistry()
/// registerTasks(in: &registry)
/// await PoolChild.runIfStarted(registry: registry)
/// // from here on: the worker
/// ```
public enum PoolChild {
    /// The environment variable that marks a child; its value is the child's name.
    static let marker = "SWCELERY_POOL_CHILD"

    /// Exit code of a child whose start fails for a reason that it has told on standard error (`EX_CONFIG`).
    private static let configurationExit: Int32 = 78

    /// What the children of a worker know of it at their start.
    package struct Start: Sendable {
        /// The child's name, as Celery's `ForkPoolWorker-3`.
        package let name: String
        /// The worker's log level.
        package let logLevel: Logger.Level
    }

    /// The name that the worker has given to this process, such as `ForkPoolWorker-3`; nil where it is no child.
    public static let name: String? = ProcessInfo.processInfo.environment[marker]

    /// Whether a worker has started this process as a child.
    public static var isStarted: Bool { name != nil }

    /// Runs a worker's tasks until the worker ends, if the process was started as a child; otherwise does nothing.
    ///
    /// It does not return in a child.
    ///
    /// - Parameters:
    ///   - registry: the tasks; those of the worker.
    ///   - logger: where tasks log to.
    public static func runIfStarted(
        registry: TaskRegistry,
        logger: Logger = Logger(label: "celery.worker")
    ) async {
        guard isStarted else { return }
        await run { start in
            var logger = logger
            logger.logLevel = start.logLevel
            return (registry, logger)
        }
    }

    /// Becomes the child, with the tasks and the logger that the closure makes.
    package static func run(prepare: (Start) throws -> (TaskRegistry, Logger)) async -> Never {
        // What a task starts is no child of the pool; this process remains one.
        let name = name
        unsetenv(marker)
        guard ChildStart.begin() else { fail("there is no socket to a worker") }
        let pipe = ChildPipe()
        do {
            guard case .setup(let setup)? = try pipe.read() else { ChildStart.exit(0, flushing: false) }
            let (registry, logger) = try prepare(Start(name: name ?? "ForkPoolWorker", logLevel: setup.logLevel))
            let session = ChildSession(
                pipe: pipe,
                setup: setup,
                tasks: try registry.table(setup.celery),
                logger: logger
            )
            try session.start()
        } catch {
            fail("\(error)")
        }
        // The session ends the process.
        while true { try? await Task.sleep(for: .seconds(86_400)) }
    }

    private static func fail(_ reason: String) -> Never {
        ChildStart.complain("swcelery: a child process of the pool cannot start: \(reason)\n")
        ChildStart.exit(configurationExit, flushing: true)
    }
}
