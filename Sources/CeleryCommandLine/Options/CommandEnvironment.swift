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
        case configurationFile = "CELERY_CONFIG"
        case noColor = "NO_COLOR"
        case notifySocket = "NOTIFY_SOCKET"
        case remapTerminate = "REMAP_SIGTERM"
        case watchdogInterval = "WATCHDOG_USEC"
        case watchdogProcess = "WATCHDOG_PID"
        case workerAutoscale = "CELERY_WORKER_AUTOSCALE"
        case workerConcurrency = "CELERY_WORKER_CONCURRENCY"
        case workerDetach = "CELERY_WORKER_DETACH"
        case workerExcludedQueues = "CELERY_WORKER_EXCLUDE_QUEUES"
        case workerGroup = "CELERY_WORKER_GID"
        case workerHeartbeatInterval = "CELERY_WORKER_HEARTBEAT_INTERVAL"
        case workerHostname = "CELERY_WORKER_HOSTNAME"
        case workerLogFile = "CELERY_WORKER_LOGFILE"
        case workerLogLevel = "CELERY_WORKER_LOGLEVEL"
        case workerMaxMemoryPerChild = "CELERY_WORKER_MAX_MEMORY_PER_CHILD"
        case workerMaxTasksPerChild = "CELERY_WORKER_MAX_TASKS_PER_CHILD"
        case workerOptimization = "CELERY_WORKER_OPTIMIZATION"
        case workerPidfile = "CELERY_WORKER_PIDFILE"
        case workerPool = "CELERY_WORKER_POOL"
        case workerPoolStartMethod = "CELERY_WORKER_POOL_START_METHOD"
        case workerPrefetchMultiplier = "CELERY_WORKER_PREFETCH_MULTIPLIER"
        case workerPurge = "CELERY_WORKER_PURGE"
        case workerQueues = "CELERY_WORKER_QUEUES"
        case workerShutdownGrace = "CELERY_WORKER_SHUTDOWN_GRACE"
        case workerSoftTimeLimit = "CELERY_WORKER_SOFT_TIME_LIMIT"
        case workerStateDB = "CELERY_WORKER_STATEDB"
        case workerTaskEvents = "CELERY_WORKER_TASK_EVENTS"
        case workerTimeLimit = "CELERY_WORKER_TIME_LIMIT"
        case workerUmask = "CELERY_WORKER_UMASK"
        case workerUser = "CELERY_WORKER_UID"
    }

    private let values: [String: String]

    init(_ values: [String: String]) {
        self.values = values
    }

    /// All variables by their names.
    var all: [String: String] { values }

    /// Whether a flag is on: by the command line, or by its variable.
    ///
    /// - Throws: `CommandFailure` with the usage status for a variable that is neither true nor false.
    func flag(_ isOn: Bool, _ variable: Variable) throws -> Bool {
        try isOn || value(variable, parsedBy: Self.truth) ?? false
    }

    private static func truth(_ text: String) throws -> Bool {
        switch text.lowercased() {
        case "1", "true", "t", "yes", "y", "on": return true
        case "0", "false", "f", "no", "n", "off": return false
        default: throw OptionError("must be true or false, got '\(text)'")
        }
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
