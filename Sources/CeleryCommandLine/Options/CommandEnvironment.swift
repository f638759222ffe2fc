import FoundationEssentials

/// The environment variables that the commands read, under the names that Celery's command line gives them.
///
/// Celery reads options of its sub-commands from `CELERY_<COMMAND>_<OPTION>` (Click's automatic names) and the broker
/// from `CELERY_BROKER_URL`, `CELERY_BROKER_READ_URL` and `CELERY_BROKER_WRITE_URL`. An empty value counts as absent.
struct CommandEnvironment: Sendable {
    /// A variable that the commands read.
    enum Variable: String, CaseIterable, Sendable {
        case application = "CELERY_APP"
        case broker = "CELERY_BROKER_URL"
        case brokerRead = "CELERY_BROKER_READ_URL"
        case brokerWrite = "CELERY_BROKER_WRITE_URL"
        case noColor = "NO_COLOR"
        case workerConcurrency = "CELERY_WORKER_CONCURRENCY"
        case workerExcludedQueues = "CELERY_WORKER_EXCLUDE_QUEUES"
        case workerHostname = "CELERY_WORKER_HOSTNAME"
        case workerLogLevel = "CELERY_WORKER_LOGLEVEL"
        case workerPool = "CELERY_WORKER_POOL"
        case workerPrefetchMultiplier = "CELERY_WORKER_PREFETCH_MULTIPLIER"
        case workerQueues = "CELERY_WORKER_QUEUES"
    }

    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values
    }

    /// The variables of this process.
    static var process: CommandEnvironment { CommandEnvironment(ProcessInfo.processInfo.environment) }

    /// The variable's value; nil where it is absent or empty.
    subscript(variable: Variable) -> String? {
        values[variable.rawValue].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The variable's value, read by the parser of the option that it stands for.
    ///
    /// - Throws: `CommandFailure` with the usage status, which names the variable.
    func value<Value>(
        _ variable: Variable,
        parsedBy parse: (String) throws -> Value
    ) throws -> Value? {
        guard let text = self[variable] else { return nil }
        do {
            return try parse(text)
        } catch {
            throw CommandFailure("The value of \(variable.rawValue) is invalid: \(error)", status: .usage)
        }
    }
}
