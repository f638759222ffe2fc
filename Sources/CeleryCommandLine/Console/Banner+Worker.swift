import AMQPValues
import Celery
import CeleryWorker
import Logging

extension Banner {
    /// Describes a worker that is about to run.
    ///
    /// - Parameters:
    ///   - transport: the broker's addresses, with the passwords hidden.
    ///   - tasks: names of all registered tasks; Celery's own are shown at the level DEBUG only.
    init(
        worker: Worker,
        application: any CeleryApplication.Type,
        transport: String,
        settings: WorkerSettings,
        tasks: [String]
    ) {
        self.init(
            node: worker.hostname,
            version: "swcelery \(PackageVersion.text)",
            platform: Self.currentPlatform(),
            time: Self.currentTime(),
            application: application.name,
            transport: transport,
            results: "rpc://",
            concurrency: worker.concurrency,
            pool: settings.pool.rawValue,
            queues: worker.queues.map { QueueLine($0) },
            tasks: Self.shown(tasks, at: settings.logLevel)
        )
    }

    /// The tasks that the banner lists at this level, as Celery chooses them.
    static func shown(_ tasks: [String], at level: Logger.Level) -> [String]? {
        guard level <= .info else { return nil }
        return level <= .debug ? tasks : tasks.filter { !$0.hasPrefix("celery.") }
    }
}

extension Banner.QueueLine {
    /// Describes a queue with its exchange and key.
    init(_ queue: Queue) {
        self.init(
            name: queue.name,
            exchange: queue.exchange?.name ?? "",
            exchangeType: queue.exchange?.type ?? "direct",
            routingKey: queue.routingKey ?? queue.name
        )
    }
}
