import Celery
import CeleryWorker
import Logging
import ServiceLifecycle

/// A program with a worker in it, which ends by SIGTERM and revokes the tasks that it is told.
struct EmbeddedWorker {
    private let pool: WorkerConfiguration.Pool
    private let concurrency: Int
    private let hostname: String
    private let registry: TaskRegistry

    init(_ arguments: [String], _ registry: TaskRegistry) throws {
        guard arguments.count == 3, let pool = WorkerConfiguration.Pool(rawValue: arguments[0]), let concurrency = Int(arguments[1])
        else { throw Usage() }
        self.pool = pool
        self.concurrency = concurrency
        hostname = arguments[2]
        self.registry = registry
    }

    func run() async throws {
        let logger = Logger(label: "celery.worker")
        let worker = try Worker(
            configuration: WorkerConfiguration(concurrency: concurrency, hostname: hostname, pool: pool),
            celery: try OutcomeApplication.configuration(),
            registry: registry,
            logger: logger
        )
        let services = ServiceGroup(services: [worker], gracefulShutdownSignals: [.sigterm], logger: logger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            group.addTask { await obey(worker, logger) }
            try await group.next()
            group.cancelAll()
        }
    }

    /// `revoke ID` and `revoke ID terminate`.
    private func obey(_ worker: Worker, _ logger: Logger) async {
        for await line in StandardInput.lines {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 2, words[0] == "revoke" else { continue }
            worker.revoke([words[1]], terminate: words.dropFirst(2).first == "terminate")
            logger.info("revoked \(words[1])")
        }
        try? await Task.sleep(for: .seconds(86_400))
    }
}

/// The command line cannot be understood.
struct Usage: Error {}
